/** Unread counts between two answers of the server, by the server's own rule. */

const COUNTED = new Set(["chat", "group", "private"]);

/** Whether `message` counts as unread for `me`, who has read up to `readSeq`. */
export function isUnread(message, me, readSeq) {
  return (
    message !== undefined &&
    COUNTED.has(message.type) &&
    !message.deleted &&
    message.from !== me &&
    message.seq > readSeq
  );
}

/** Whether `message` names `me`. */
export function mentions(message, me) {
  return Boolean(message?.content?.mentions?.includes(me));
}

/** Bring a room's counts up to date when a message goes from `before` to `after`. */
function countChange(room, before, after, me) {
  const was = isUnread(before, me, room.read_seq);
  const is = isUnread(after, me, room.read_seq);
  room.unread = Math.max(0, room.unread + is - was);
  const named = (is && mentions(after, me)) - (was && mentions(before, me));
  room.mentions = Math.max(0, room.mentions + named);
}

/** Do something to a message of a room, and count what it did to it. */
export function counting(room, id, me, work) {
  const before = room.log.messages[id];
  const result = work();
  const after = room.log.messages[id];
  if (after !== before && !room.watching) countChange(room, before, after, me);
  return result;
}

/** Move the read mark, here or as told by another device. Marks never go back. */
export function markRead(room, seq, me) {
  if (seq <= room.read_seq) return false;
  room.read_seq = seq;
  const left = Object.values(room.log.messages).filter((m) => isUnread(m, me, seq));
  room.unread = left.length;
  room.mentions = left.filter((m) => mentions(m, me)).length;
  return true;
}
