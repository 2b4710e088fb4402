/** Which conversation is open, in the address: #room/… and #user/…, so that Back and links work. */

/** @returns {{room?: string, user?: string}} */
export function currentRoute() {
  const [kind, id] = location.hash.slice(1).split("/");
  return id && (kind === "room" || kind === "user") ? { [kind]: decodeURIComponent(id) } : {};
}

export function hashOf(route) {
  if (route.room) return `#room/${encodeURIComponent(route.room)}`;
  return route.user ? `#user/${encodeURIComponent(route.user)}` : "#";
}

export const linkOf = (roomId) =>
  `${location.origin}${location.pathname}${hashOf({ room: roomId })}`;

/** The id in a link to a room, or the id itself; null if it is neither. */
export function roomOfLink(text) {
  return text.match(/^(?:.*#room\/)?((?:d-)?[0-9a-f]{24,32})$/)?.[1] ?? null;
}
