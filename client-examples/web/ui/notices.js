/** Joins, leaves and changes of a room, in words. */

/** @returns {string|null} null for an ordinary message */
export function noticeText(message, me) {
  const { type, content, from } = message;
  if (type === "join_room") return joined(content, from, me);
  if (type === "leave_room") return left(content, from, me);
  if (type === "room_update") return `${who(from, me)} changed the room`;
  return null;
}

/** The newest thing in a room, in one line for the list. */
export function previewText(message, me, direct) {
  const notice = noticeText(message, me);
  if (notice) return notice;
  const text = message.deleted ? "deleted a message" : bodyText(message.content);
  if (message.from === me) return `You: ${text}`;
  return direct ? text : `${message.from}: ${text}`;
}

/** What a message says, without its form. */
export function bodyText(content) {
  if (content.text) return content.text;
  if (content.image) return "Image";
  return content.file ? "File" : "";
}

const who = (user, me) => (user === me ? "You" : user);

function joined({ user_id: user, by, reason }, from, me) {
  const adder = by ?? from;
  if (reason === "created" && (!adder || adder === user))
    return `${who(user, me)} created the room`;
  if (adder && adder !== user) return `${who(adder, me)} added ${user === me ? "you" : user}`;
  return `${who(user, me)} joined`;
}

function left({ user_id: user, by, reason, owner }, from, me) {
  const adder = by ?? from;
  const away = reason === "kicked" || reason === "banned";
  const text = away
    ? `${who(adder, me)} removed ${user === me ? "you" : user}`
    : `${who(user, me)} left`;
  if (!owner) return text;
  return owner === me ? `${text}; you are now the owner` : `${text}; ${owner} is now the owner`;
}
