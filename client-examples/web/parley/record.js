/** One room as this client keeps it. Plain JSON: it is stored as it is. */

import { newRoom } from "./rule.js";
import { markRead } from "./unread.js";

/** A room of which only the id is known. */
export function newRecord(id) {
  return {
    id,
    info: null, // Room of the wire
    membership: null,
    can: null,
    log: newRoom(), // state of the rule
    from_seq: null, // see timeline.js
    read_seq: 0,
    unread: 0,
    mentions: 0,
    last: null, // newest message as told by `rooms`
    seen: {}, // user → how far she has read, as far as was heard
  };
}

/** Who reads or writes has read up to there. */
export function see(room, user, seq) {
  room.seen[user] = Math.max(room.seen[user] ?? 0, seq);
}

/** Take from a page of sync, before the rule does, from where on nothing will be missing. */
export function takeStart(room, reply) {
  // The newest page holds changes of old messages too: history has to say what is whole.
  if (reply.state === "reset") room.from_seq = null;
  // Without a cursor everything after the read mark comes.
  else if (reply.state === "ok" && room.log.cursor === null) room.from_seq ??= reply.read_seq + 1;
}

/**
 * Take the server's counts, unless this device has read further while it was offline.
 *
 * @returns {boolean} whether it has, and the server should be told
 */
export function takeCounts(room, reply, me) {
  const mine = room.read_seq;
  const { read_seq, unread, mentions } = reply;
  Object.assign(room, { read_seq, unread, mentions });
  return markRead(room, mine, me);
}

/** Take an entry of the answer to `rooms`. */
export function takeDescription(room, item) {
  Object.assign(room, { info: item.room, membership: item.membership, can: item.can });
  if (item.last_message) room.last = item.last_message;
  // A room that is live counts by itself, and is ahead of this answer.
  if (!room.log.syncing || item.read_seq < room.read_seq) return;
  const { read_seq, unread, mentions } = item;
  Object.assign(room, { read_seq, unread, mentions });
}
