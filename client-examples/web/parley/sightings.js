/**
 * What is known of who is here, by the rule of presence of docs/protocol.md.
 *
 * Pure. Nothing of it outlives the connection: whoever follows anew is told anew.
 */

/**
 * @typedef {object} RoomSighting
 * @property {number} online   members who are not offline, as others see them
 * @property {Record<string, object>|null} users   presences by user id; null: a large room, of
 *   which only the number is known
 */

/** @returns {boolean} whether `content` says more than what is known of the same user */
export const isNews = (known, content) => !known || content.version >= known.version;

/** Take an ack of `room`: it replaces what was known. */
export function roomSeen({ online, users }) {
  return { online, users: users ? byUser(users) : null };
}

/**
 * Take an event `room`.
 *
 * Who is offline stays in the list until it is replaced, so that an older word does not bring her
 * back; `isHere` tells the two apart.
 *
 * @param {RoomSighting|undefined} known
 * @returns {RoomSighting}
 */
export function roomChanged(known, { online = known?.online, users, whole }) {
  if (!users) return { online, users: null };
  // Changes of a list that was not there: everybody comes with the next `whole`.
  if (whole || !known?.users) return { online, users: whole ? byUser(users) : null };
  const changed = users.filter((user) => isNews(known.users[user.user_id], user));
  return { online, users: { ...known.users, ...byUser(changed) } };
}

export const isHere = (content) => content !== undefined && content.status !== "offline";

const byUser = (users) => Object.fromEntries(users.map((user) => [user.user_id, user]));
