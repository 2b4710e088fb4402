/** What messages look like in a terminal. Pure. */

/** @returns {string} one line */
export function lineOf({ type, from, content, timestamp, deleted, edited_at: edited }) {
  const time = new Date(timestamp).toTimeString().slice(0, 5);
  const text = content.text ?? content.image ?? content.file ?? "";
  if (type === "join_room") return `${time} — ${content.user_id} has come`;
  if (type === "leave_room") return `${time} — ${content.user_id} ${parting(content)}`;
  if (type === "room_update") return `${time} — ${from} changed the room`;
  if (deleted) return `${time} ${from} took it back`;
  return `${time} ${from}: ${harmless(text)}${edited ? " (edited)" : ""}`;
}

/** How somebody's standing with the room has ended; who was not inside cannot leave it. */
function parting({ reason, was }) {
  if (reason === "banned") return "was banned";
  if (was === "invited") return "does not come";
  if (was === "pending") return "does not ask to come any more";
  return reason === "kicked" ? "was sent away" : "has left";
}

/** The users that a text names with an @, so that they are told. */
export function mentioned(text) {
  const names = Array.from(text.matchAll(/@([\w.@-]{1,64})/g), ([, name]) => name);
  return [...new Set(names.map((name) => name.replace(/[.-]+$/, "")))].filter(Boolean).slice(0, 50);
}

/** Without what would move the cursor or worse: a message is written by anybody. */
function harmless(text) {
  return text.replace(/\p{Cc}+/gu, " ");
}
