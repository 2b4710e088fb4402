/** How joins and leaves change what is known about a room. */

/** The server lists members of smaller rooms only. */
const LISTED = 200;

/** Whether `event` says that `me` is no longer in the room. */
export function leavesMe(event, me) {
  return event.type === "leave_room" && event.content.user_id === me;
}

/** Fold one event into `room.info`; safe to repeat. */
export function applyMembership(room, event) {
  if (!room.info || (event.type !== "join_room" && event.type !== "leave_room")) return;
  const { user_id: user, owner } = event.content;
  const before = room.info.members ?? [];
  const members =
    event.type === "leave_room"
      ? before.filter((member) => member !== user)
      : [...new Set([...before, user])];
  const known = room.info.members !== undefined && members.length <= LISTED;
  room.info = {
    ...room.info,
    owner: owner ?? room.info.owner,
    ...(known ? { members, member_count: members.length } : {}),
  };
}
