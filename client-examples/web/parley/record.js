/** One room as this client keeps it. Plain JSON: it is stored as it is. */

import { newRoom } from "./rule.js";
import { markRead } from "./unread.js";

/** A room of which only the id is known. */
export function newRecord(id) {
  return {
    id,
    info: null, // Room of the wire
    membership: null,
    can: null, // events this user may send about it; null: not known yet
    peer: null, // the other one in a direct room
    watching: false, // looked into without being a member, as long as the connection lasts
    people: {}, // see people.js
    log: newRoom(), // state of the rule
    from_seq: null, // see timeline.js
    read_seq: 0,
    unread: 0,
    mentions: 0,
    last: null, // newest message as told by `rooms`
    seen: {}, // user → how far she has read, as far as was heard
  };
}

/** What an earlier page load stored; an older version of this page may have kept less. */
export function restored(record, me) {
  const peer = record.info?.type === "direct" ? peerIn(record.info, record.last, me) : null;
  return { ...newRecord(record.id), peer, ...record };
}

/** Who reads or writes has read up to there. */
export function see(room, user, seq) {
  room.seen[user] = Math.max(room.seen[user] ?? 0, seq);
}

/** Take from a page of sync, before the rule does, from where on nothing will be missing. */
export function takeStart(room, reply) {
  // The newest page holds changes of old messages too: history has to say what is whole. Rows
  // were missed, so the lists of people are as old as the log was.
  if (reply.state === "reset") Object.assign(room, { from_seq: null, people: {} });
  // Without a cursor everything after the read mark comes.
  else if (reply.state === "ok" && room.log.cursor === null) room.from_seq ??= reply.read_seq + 1;
}

/**
 * Take the server's counts, unless this device has read further while it was offline.
 *
 * @returns {boolean} whether it has, and the server should be told
 */
export function takeCounts(room, reply, me) {
  if (room.watching) return false; // she has no read mark
  const mine = room.read_seq;
  const { read_seq, unread, mentions } = reply;
  Object.assign(room, { read_seq, unread, mentions });
  return markRead(room, mine, me);
}

/** Take a view of the room, or an entry of the answer to `rooms`, which has counts as well. */
export function takeView(room, view, me) {
  const { room: info, membership, can, last_message: last, read_seq } = view;
  Object.assign(room, { info, can, membership: membership ?? null });
  room.watching &&= membership?.state !== "member";
  room.peer = info.type === "direct" ? (peerIn(info, last, me) ?? room.peer) : null;
  if (last) room.last = last;
  // A room that is live counts by itself, and is ahead of this answer.
  if (read_seq === undefined || !room.log.syncing || read_seq < room.read_seq) return;
  const { unread, mentions } = view;
  Object.assign(room, { read_seq, unread, mentions });
}

function peerIn({ members }, last, me) {
  const other = members?.find((user) => user !== me);
  return other ?? (last?.from === me ? last.to : last?.from);
}
