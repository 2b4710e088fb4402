/**
 * The client's rule: how one room stays equal to the server's log.
 *
 * Pure: no socket, no clock, no storage. A room's state is plain JSON, so that
 * the cursor and the messages it stands for are always stored together.
 *
 * The server numbers every change of a room 1, 2, 3 … (`rev`). A live event says
 * which position came before it (`prev`); whoever is past `prev` may apply it,
 * whoever is not has missed something and must sync. That is all there is.
 */

/**
 * @typedef {object} RoomLog
 * @property {string|null} cursor   "epoch.rev" of the last change seen, null before the first sync
 * @property {Record<string, object>} messages   by id, each in its newest known state
 * @property {boolean} syncing      catching up: live events are ignored meanwhile
 * @property {number} floor_seq     messages below it are gone on the server
 */

/** @returns {RoomLog} a room of which nothing is known */
export function newRoom() {
  return { cursor: null, messages: {}, syncing: false, floor_seq: 0 };
}

/** The position inside a cursor; -1 for null, so that any live event shows a gap. */
export function revOf(cursor) {
  return cursor === null ? -1 : Number(cursor.slice(cursor.lastIndexOf(".") + 1));
}

/** From here until the last sync page, live events say nothing new. */
export function beginSync(room) {
  room.syncing = true;
}

/**
 * Take one live event.
 *
 * @returns {"ignored"|"applied"|"sync"} "sync": something was missed; the room is
 *   now syncing and the caller asks the server for everything after `cursor`.
 */
export function applyEvent(room, event) {
  if (room.syncing) return "ignored";
  const position = revOf(room.cursor);
  if (event.rev <= position) return "ignored";
  if ((event.prev ?? event.rev - 1) > position) {
    beginSync(room);
    return "sync";
  }
  upsert(room, event);
  room.cursor = moved(room.cursor, event.rev);
  return "applied";
}

/**
 * Take one room's page of a sync.
 *
 * @returns {"live"|"more"|"gone"} "more": ask again from the new cursor; "gone":
 *   this user may not, or can no longer, see the room: remove it.
 */
export function applySync(room, reply) {
  if (reply.state === "denied" || reply.state === "gone") {
    forget(room);
    return "gone";
  }
  if (reply.state === "reset") forget(room);
  for (const event of reply.events) upsert(room, event);
  // `upto`, never `head`: the page ends there, whatever was written since.
  room.cursor = reply.upto;
  dropBelow(room, reply.floor_seq ?? 0);
  room.syncing = Boolean(reply.more);
  return reply.more ? "more" : "live";
}

/**
 * Take `room_behind`: the server dropped events of this room for this socket.
 *
 * The head it names is not a cursor: what lies between was never seen.
 *
 * @returns {"ignored"|"sync"}
 */
export function applyBehind(room) {
  if (room.syncing) return "ignored";
  beginSync(room);
  return "sync";
}

/**
 * Keep `message` if it is newer than what is known; the cursor stays.
 *
 * For acks and history: they show single messages, not all that came before.
 *
 * @returns {boolean} whether something changed
 */
export function upsert(room, message) {
  if (isSkip(message) || message.seq < room.floor_seq) return false;
  const known = room.messages[message.id];
  if (known && message.rev <= known.rev) return false;
  const { prev, ...kept } = message; // prev tells about the event, not about the message
  room.messages[message.id] = kept;
  return true;
}

/** The messages in their order in history. */
export function inOrder(room) {
  return Object.values(room.messages).sort((a, b) => a.seq - b.seq);
}

/** `skip` stands for a change this member may not see: it has a place but no message. */
function isSkip(event) {
  return event.type === "skip" || event.id === undefined;
}

/** A live event carries no epoch: the one of the last `upto` still holds. */
function moved(cursor, rev) {
  return `${cursor.slice(0, cursor.lastIndexOf("."))}.${rev}`;
}

function forget(room) {
  Object.assign(room, newRoom());
}

function dropBelow(room, floor) {
  room.floor_seq = Math.max(room.floor_seq, floor);
  for (const [id, message] of Object.entries(room.messages)) {
    if (message.seq < room.floor_seq) delete room.messages[id];
  }
}
