/**
 * The inbox as this client keeps it, and which part of it may be shown. Plain JSON, pure.
 *
 * Like a room it remembers `from_seq`: from there on nothing is missing (null: not known yet; 0: all
 * is here). Deleted notifications stay as what they are, so that an older word of one does not
 * bring it back.
 */

import { newRoom, upsert } from "./rule.js";

/** How many are kept on this device. */
const KEEP = 200;
const MOST_UNREAD = 1000; // where the server stops counting

const ID = "inbox";

export function newInbox() {
  return {
    id: ID,
    log: newRoom(), // state of the rule
    from_seq: null,
    next: null, // cursor of `list` before the known part; null: there is none, or it was lost
    unread: 0,
    muted: [], // room ids
  };
}

/** What an earlier page load stored; an older version of this page may have kept less. */
export const restoredInbox = (record) => ({ ...newInbox(), ...record });

/** Those to show, newest first; before the first page, whatever is there. */
export function known({ log, from_seq: from }) {
  return Object.values(log.messages)
    .filter((one) => !one.deleted && one.seq >= (from ?? 0))
    .sort((a, b) => b.seq - a.seq);
}

/** How many to ask for where there is no cursor: at least what is known has to be passed over. */
export const inboxPage = ({ from_seq: from }, usual) => (from === null ? usual : KEEP);

/** Take a page of `list`: lists never move the cursor. */
export function takeListed(record, { notifications, unread, next }) {
  for (const one of notifications) upsert(record.log, one);
  record.unread = unread;
  const end = next === undefined ? 0 : notifications.at(-1).seq;
  record.from_seq = Math.min(record.from_seq ?? Infinity, end);
  record.next = next ?? null;
}

/**
 * What is left unread after a live event.
 *
 * @returns {number|undefined} undefined: it cannot be told from what is known
 */
export function unreadAfter(unread, before, after) {
  const counts = (one) => !one.read && !one.deleted;
  const isNew = after.rev === after.seq;
  // Of an older one this client does not know what it was; and where the server has stopped
  // counting, one less may be as many.
  if ((!before && !isNew) || unread >= MOST_UNREAD) return undefined;
  return Math.max(0, unread + counts(after) - (before ? counts(before) : 0));
}

/** Whether it is unread, and tells of a message of a room up to `seq`. */
export function isAbout({ read, deleted, content }, roomId, seq) {
  const { reason, room_id: room, seq: at } = content.data ?? {};
  const told = reason === "mention" || reason === "private";
  return !read && !deleted && told && room === roomId && at <= seq;
}

/** A copy small enough to store: the newest of the part without holes. */
export function trimmedInbox(record) {
  const kept = Object.values(record.log.messages)
    .filter(({ seq }) => seq >= (record.from_seq ?? 0))
    .sort((a, b) => b.seq - a.seq)
    .slice(0, KEEP);
  const messages = Object.fromEntries(kept.map((one) => [one.id, one]));
  const log = { ...record.log, messages };
  if (kept.length < KEEP || record.from_seq === null) return { ...record, log };
  // The cursor of the list stands before what is dropped here.
  return { ...record, log, from_seq: Math.max(kept.at(-1).seq, record.from_seq), next: null };
}
