/**
 * Which part of a room may be shown.
 *
 * A sync can bring a change of a very old message, long before those around it
 * are loaded. So each room remembers `from_seq`: from there on nothing is
 * missing (null: not known yet; 0: the whole history is here). Only that part is
 * shown, and paging back goes on where it starts.
 */

import { inOrder, upsert } from "./rule.js";

/** How many messages of a room are kept on this device. */
export const KEEP = 500;

/** The messages to show, in order; before the first page, whatever is there. */
export function visible(room) {
  const from = room.from_seq ?? 0;
  return inOrder(room.log).filter((message) => message.seq >= from);
}

/** Whether older messages can be loaded. */
export function hasOlder(room) {
  return room.from_seq !== 0;
}

/**
 * Take an answer of `history`, asked with `before` (undefined: the newest page).
 *
 * @returns {boolean} whether anything became visible
 */
export function applyHistory(room, page, before) {
  for (const message of page.messages) upsert(room.log, message);
  // A page that does not touch the known part (a reset came in between) fills
  // nothing: the next request starts anew.
  if (before !== undefined && before !== room.from_seq) return false;
  const start = page.more && page.messages.length ? page.messages[0].seq : 0;
  const wider = room.from_seq === null || start < room.from_seq;
  if (wider) room.from_seq = start;
  return wider;
}

/**
 * A copy small enough to store: the newest messages of the part without holes.
 *
 * Everything below is dropped together with the claim that it is known.
 */
export function trimmed(room, keep = KEEP) {
  const messages = visible(room);
  if (messages.length <= keep) return room;
  const kept = messages.slice(-keep);
  const log = { ...room.log, messages: Object.fromEntries(kept.map((m) => [m.id, m])) };
  return { ...room, log, from_seq: kept[0].seq };
}
