"""Who may do what in a room: one table, asked when a row takes its position and when reading."""

from parley.namespaces.errors import Forbidden, NotFound
from parley.storage.models import Membership, MemberState, Message, Room, RoomType, UserId


def member(room: Room, members: dict[UserId, Membership], user_id: UserId) -> Membership:
    """Return the user's membership.

    Raises:
        Forbidden: She is not a member of this public room.
        NotFound: Of another one: that it exists is nobody else's business.
    """
    membership = members.get(user_id)
    if membership is not None and membership.state is MemberState.MEMBER:
        return membership
    if room.type is RoomType.PUBLIC:
        raise Forbidden("not a member of this room", room_id=room.id)
    raise NotFound("no such room", room_id=room.id)


def author(message: Message, user_id: UserId) -> None:
    """Raise `Forbidden` unless the user wrote the message."""
    if message.sender != user_id:
        raise Forbidden("only its author may do this", message_id=message.id)


def visible(message: Message, membership: Membership) -> None:
    """Raise `NotFound` for a message of before the member's time."""
    if message.seq < membership.visible_from_seq:
        raise NotFound("no such message", message_id=message.id)


def allowed(room: Room, membership: Membership | None) -> list[str]:
    """Return the events this user may send about the room, so that clients need no rules."""
    if membership is None or membership.state is not MemberState.MEMBER:
        return ["join_room"] if room.type is RoomType.PUBLIC else []
    speak = ["private"] if room.type is RoomType.DIRECT else ["chat", "group"]
    leave = [] if room.type is RoomType.DIRECT else ["leave_room"]
    edit = ["edit_message", "delete_message", "react"]
    return [*speak, *edit, "typing", "read", "history", "sync", *leave]
