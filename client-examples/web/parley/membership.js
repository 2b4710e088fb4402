/** What the rows of a room's log say about who is in it. Pure. */

/**
 * Where a row leaves the user it is about.
 *
 * @param {object} event   a message of any type
 * @returns {{user: string, state: string|null, changes?: object}|null}   the state of her
 *   membership from there on (null: she has none) and what else of it changed; null for a row
 *   that is about nobody's
 */
export function standingAfter({ type, content, timestamp }) {
  if (type === "join_room") {
    const { user_id: user, role } = content;
    return { user, state: "member", changes: { role, joined_at: timestamp } };
  }
  if (type === "leave_room") {
    const { user_id: user, reason } = content;
    return { user, state: reason === "banned" ? "banned" : null };
  }
  if (type !== "room_update" || !content.member) return null;
  return updated(content.member, timestamp);
}

function updated({ user_id: user, state, role, muted_for_ms: muted }, timestamp) {
  if (state) return { user, state, changes: { role: "member", joined_at: timestamp } };
  if (role) return { user, state: "member", changes: { role } };
  if (muted === undefined) return { user, state: null }; // a ban was lifted
  const until = muted ? new Date(Date.parse(timestamp) + muted).toISOString() : undefined;
  return { user, state: "member", changes: { muted_until: until } };
}

/** Who owns the room because of a row about somebody else, or undefined. */
export function heirAfter({ type, content }) {
  if (type === "leave_room") return content.owner;
  return type === "room_update" && content.member?.role === "owner"
    ? content.member.user_id
    : undefined;
}

/** Whether a row ends what `user` had in the room: it says nothing more to her. */
export function leavesMe(event, user) {
  if (event.type !== "leave_room" || event.content.user_id !== user) return false;
  // Who was invited or had asked was not inside: she may go on watching, unless banned.
  return !event.content.was || event.content.reason === "banned";
}

/**
 * Fold a row into what is known of the room itself; safe to repeat.
 *
 * @returns {boolean} whether the server knows more than the row says: what this user may do
 */
export function applyToInfo(room, event, me) {
  const { info } = room;
  const standing = standingAfter(event);
  const heir = heirAfter(event);
  const aboutMe = standing?.user === me || heir === me;
  if (!info || event.type !== "room_update") {
    if (info && heir) room.info = { ...info, owner: heir };
    return aboutMe;
  }
  // The description of a room may be newer than the rows a sync brings.
  if (event.seq > (info.rev ?? 0)) room.info = changed(info, event, heir);
  return aboutMe || Boolean(event.content.changed) || (heir !== undefined && event.from === me);
}

function changed(info, { seq, content }, heir) {
  const { settings, description = info.description, ...rest } = content.changed ?? {};
  const after = { ...info, ...rest, owner: heir ?? info.owner };
  if (description) after.description = description;
  else delete after.description;
  if (settings) after.settings = { ...info.settings, ...settings };
  if (content.changed || heir) after.rev = seq;
  return after;
}
