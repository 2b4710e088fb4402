/**
 * What a conversation shows, as data: a list of items for the message list.
 *
 * Pure. What is on its way (the outbox) is laid over what is known: the user sees
 * at once what she did, marked until the server has it.
 */

import { memberIds } from "../parley/people.js";
import { toolsOn } from "../parley/rights.js";
import { ranges } from "../parley/search.js";
import { hasOlder, visible } from "../parley/timeline.js";
import { isUnread } from "../parley/unread.js";
import { dayKey, dayName } from "./format.js";
import { bodyText, noticeText } from "./notices.js";
import { mentioned } from "./text.js";

const GROUP_WITHIN = 5 * 60_000; // ms

/**
 * @param {object} view
 * @param {object|null} view.room      a record of `Rooms`; null in a conversation not begun
 * @param {object[]} view.pending      entries of the outbox for this place
 * @param {string} view.me
 * @param {number|null} view.newAfter  where the "new" line goes: after this seq
 * @param {boolean} view.offline
 * @param {{wanted: string, current: string|null}|null} [view.marks]   what is searched for
 * @param {number} [view.now]
 */
export function itemsOf({ room, pending, me, newAfter, offline, marks, now = Date.now() }) {
  const direct = room?.info?.type === "direct";
  const known = room ? visible(room).filter((message) => !(direct && isMembership(message))) : [];
  const changes = changesOf(pending);
  const users = memberIds(room);
  const shown = known.map((message) => {
    const item = shownMessage(message, changes.get(message.id), { room, me, users });
    return marked(item, marks);
  });
  const items = [...shown, ...waiting(pending, known, { room, me, offline, users })];
  return separated(items, { room, me, newAfter, now, known });
}

/** Say what is to be highlighted in it, and whether it is the one that is pointed at. */
function marked(item, marks) {
  if (!marks?.wanted || item.deleted || !ranges(item.content?.text ?? "", marks.wanted).length)
    return item;
  return { ...item, wanted: marks.wanted, current: item.id === marks.current };
}

/** In a room of two everybody knows who is there. */
const isMembership = (message) => message.type === "join_room" || message.type === "leave_room";

/** Entries that change a message, by its id. */
function changesOf(pending) {
  const changes = new Map();
  for (const entry of pending) {
    const id = entry.payload.message_id;
    if (id) changes.set(id, [...(changes.get(id) ?? []), entry]);
  }
  return changes;
}

function shownMessage(message, entries = [], { room, me, users }) {
  const notice = noticeText(message, me);
  if (notice)
    return {
      kind: "notice",
      key: message.id,
      text: notice,
      seq: message.seq,
      time: message.timestamp,
    };
  const item = {
    kind: "message",
    key: message.from === me && message.client_id ? message.client_id : message.id,
    id: message.id,
    seq: message.seq,
    from: message.from,
    mine: message.from === me,
    time: message.timestamp,
    content: message.content,
    names: namesIn(message.content, users),
    tools: toolsOn(room, message, me),
    edited: Boolean(message.edited_at),
    deleted: Boolean(message.deleted),
    reactions: message.reactions ?? [],
    reply: replyOf(message.content?.reply_to, room),
    state: "sent",
    entry: null,
    error: null,
  };
  return entries.reduce((shown, entry) => changed(shown, entry, me), item);
}

/** The users that a text names: those it was sent to as mentions, and members as they are known now. */
function namesIn({ text = "", mentions = [] }, users) {
  return mentioned(text, [...mentions, ...users]);
}

/** Lay a change that is on its way over a message. A reaction is too small to be marked. */
function changed(item, entry, me) {
  if (entry.failed)
    return { ...item, state: "failed", entry: entry.client_id, error: entry.failed.message };
  if (entry.event === "react")
    return { ...item, reactions: reacted(item.reactions, entry.payload, me) };
  const marked = { ...item, state: "pending", entry: entry.client_id };
  if (entry.event === "delete_message")
    return { ...marked, deleted: true, content: {}, reactions: [] };
  return { ...marked, content: { ...item.content, ...entry.payload.content }, edited: true };
}

function reacted(reactions, { emoji, on }, me) {
  const before = reactions.find((reaction) => reaction.emoji === emoji);
  const users = (before?.users ?? []).filter((user) => user !== me);
  const was = Boolean(before?.users.includes(me));
  const after = {
    emoji,
    count: (before?.count ?? 0) + on - was,
    users: on ? [...users, me] : users,
  };
  if (!before) return on ? [...reactions, after] : reactions;
  return reactions.map((r) => (r === before ? after : r)).filter((r) => r.count > 0);
}

/** Messages that are not on the server yet, unless their event overtook the ack. */
function waiting(pending, known, { room, me, offline, users }) {
  const arrived = new Set(known.filter((m) => m.from === me).map((m) => m.client_id));
  return pending
    .filter(
      (entry) =>
        entry.payload.content && !entry.payload.message_id && !arrived.has(entry.client_id),
    )
    .map((entry) => ({
      kind: "message",
      key: entry.client_id,
      from: me,
      mine: true,
      time: new Date(entry.created_at).toISOString(),
      content: entry.payload.content,
      names: namesIn(entry.payload.content, users),
      tools: [],
      reactions: [],
      reply: replyOf(entry.payload.content.reply_to, room),
      state: entry.failed ? "failed" : "pending",
      recallable: offline && entry.attempts === 0 && !entry.failed,
      entry: entry.client_id,
      error: entry.failed?.message ?? null,
    }));
}

function replyOf(id, room) {
  if (!id) return null;
  const message = room?.log.messages[id];
  if (!message) return { id, from: null, text: "an earlier message" };
  const text = message.deleted ? "deleted message" : bodyText(message.content);
  return { id, from: message.from, text };
}

/** Put days, the "new" line and "seen by" between the messages, and mark groups. */
function separated(items, { room, me, newAfter, now, known }) {
  const out = room && !hasOlder(room) ? [{ kind: "beginning", key: "beginning" }] : [];
  const firstNew = newLine(known, room, me, newAfter);
  let last = null;
  let head = null; // first message of the group
  for (const item of items) {
    const newDay = !last || dayKey(last.time) !== dayKey(item.time);
    if (newDay)
      out.push({ kind: "day", key: `day ${dayKey(item.time)}`, text: dayName(item.time, now) });
    const isNew = item.seq !== undefined && item.seq === firstNew;
    if (isNew) out.push({ kind: "new", key: "new" });
    const first = newDay || isNew || last.kind !== "message" || !continues(head, item);
    if (first) head = item;
    out.push(item.kind === "message" ? { ...item, first } : item);
    last = item;
  }
  return withSeen(out, room, me);
}

function continues(head, item) {
  return (
    head.from === item.from &&
    !item.reply &&
    new Date(item.time) - new Date(head.time) < GROUP_WITHIN
  );
}

/** The seq of the first unread message; none while there may be an earlier one. */
function newLine(known, room, me, newAfter) {
  if (newAfter === null) return null;
  const at = known.findIndex((message) => isUnread(message, me, newAfter));
  if (at < 0 || (at === 0 && room.from_seq > newAfter + 1)) return null;
  return known[at].seq;
}

/** Who has read the newest message, if it is mine: whoever answered has read it anyway. */
function withSeen(items, room, me) {
  const at = items.findLastIndex((item) => item.kind === "message" && item.seq);
  if (at < 0 || !items[at].mine || items[at].deleted) return items;
  const users = Object.keys(room.seen).filter(
    (user) => user !== me && room.seen[user] >= items[at].seq,
  );
  const known = memberIds(room);
  const member = new Set(known.length ? known : users);
  const readers = users.filter((user) => member.has(user)).sort();
  if (!readers.length) return items;
  const direct = room.info?.type === "direct";
  return items.toSpliced(at + 1, 0, { kind: "seen", key: "seen", users: direct ? [] : readers });
}
