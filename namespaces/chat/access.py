"""Who may do what in a room: one table, asked when a row takes its position and when reading.

`RIGHTS` is the whole of it for members; what a client is told it may do (``can``) and what is
refused come from the same lines. docs/protocol.md shows the table to people.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from parley.namespaces.chat.settings import setting
from parley.namespaces.errors import ClientError, Forbidden, Muted, NotFound, RejectedContent
from parley.namespaces.wire import timestamp
from parley.storage.fold import subject
from parley.storage.models import (
    JSON,
    WAITING,
    Membership,
    MemberState,
    Message,
    MessageType,
    Role,
    Room,
    RoomType,
    Timestamp,
    UserId,
)

Members = Mapping[UserId, Membership]

EVERYONE = frozenset(Role)
STAFF = frozenset({Role.OWNER, Role.ADMIN})
OWNER = frozenset({Role.OWNER})

EVERYWHERE = frozenset(RoomType)
DIRECT = frozenset({RoomType.DIRECT})
SHARED = EVERYWHERE - DIRECT

_RANK = {Role.MEMBER: 0, Role.ADMIN: 1, Role.OWNER: 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Right:
    """Which members may send an event about a room."""

    types: frozenset[RoomType] = EVERYWHERE
    roles: frozenset[Role] = EVERYONE
    roles_if_closed: frozenset[Role] | None = None  # where staff decides who comes in
    speaks: bool = False  # taken away by ``mute``, and by ``mute_all`` from all but staff


RIGHTS: Mapping[str, Right] = {
    "chat": Right(types=SHARED, speaks=True),
    "group": Right(types=SHARED, speaks=True),
    "private": Right(types=DIRECT, speaks=True),
    "edit_message": Right(speaks=True),
    "delete_message": Right(),
    "react": Right(speaks=True),
    "typing": Right(speaks=True),
    "signal": Right(speaks=True),
    "read": Right(),
    "history": Right(),
    "sync": Right(),
    "room": Right(),
    "members": Right(),
    "leave_room": Right(types=SHARED),
    "invite": Right(types=SHARED, roles_if_closed=STAFF),
    "approve": Right(types=SHARED, roles=STAFF),
    "kick": Right(types=SHARED, roles=STAFF),
    "ban": Right(types=SHARED, roles=STAFF),
    "unban": Right(types=SHARED, roles=STAFF),
    "mute": Right(types=SHARED, roles=STAFF),
    "set_role": Right(types=SHARED, roles=OWNER),
    "update_room": Right(types=SHARED, roles=STAFF),
    "delete_room": Right(types=SHARED, roles=OWNER),
}
"""What members may do, by event. Who acts on somebody must also outrank her (`outranks`)."""

VISITOR = ("watch", "room", "history")
"""What everyone who is not banned may do about a listed room."""


def member(room: Room, members: Members, user_id: UserId) -> Membership:
    """Return the user's membership.

    Raises:
        Forbidden: She is not inside a room that she may know of.
        NotFound: Of another one: that it exists is nobody else's business.
    """
    membership = members.get(user_id)
    if membership is not None and membership.is_member:
        return membership
    if room.is_private and not _is_waiting(membership):
        raise NotFound("no such room", room_id=room.id)
    raise Forbidden(_outside(membership), room_id=room.id)


def check(event: str, room: Room, members: Members, user_id: UserId, now: Timestamp) -> Membership:
    """Return the membership of somebody who may send ``event`` about the room.

    Raises:
        NotFound, Forbidden: See `member`; or her role or the room's type is not for it.
        Muted: She may not speak for now.
    """
    membership = member(room, members, user_id)
    refusal = _refusal(RIGHTS[event], room, membership, now)
    if refusal is not None:
        raise refusal
    return membership


def outranks(membership: Membership, other: Membership | None, user_id: UserId) -> None:
    """Raise `Forbidden` unless the role is above that of ``user_id``; a stranger has none."""
    rank = _RANK[other.role] if other is not None and other.is_member else 0
    if membership.user_id == user_id or _RANK[membership.role] <= rank:
        raise Forbidden("only somebody of higher role may do this", user_id=user_id)


def visitor(room: Room, members: Members, user_id: UserId) -> Membership | None:
    """Return the membership, if any, of somebody who may read the room's history.

    Raises:
        NotFound, Forbidden: She is not inside, and it is not open to everyone or not to her.
    """
    membership = members.get(user_id)
    is_banned = membership is not None and membership.state is MemberState.BANNED
    if room.is_private or is_banned:
        return member(room, members, user_id)
    return membership


def viewer(room: Room, members: Members, user_id: UserId) -> Membership | None:
    """Return the same of somebody who may know about the room; who waits may, too."""
    membership = members.get(user_id)
    return membership if _is_waiting(membership) else visitor(room, members, user_id)


def author(message: Message, user_id: UserId) -> None:
    """Raise `Forbidden` unless the user wrote the message."""
    if message.sender != user_id:
        raise Forbidden("only its author may do this", message_id=message.id)


def sees(membership: Membership | None, message: Message) -> bool:
    """Whether a message exists for a member, or for a visitor (None) of a listed room."""
    if membership is None or not membership.is_member:
        return not is_confidential(message)
    if message.seq < membership.visible_from_seq:
        return False
    is_hers = subject(message) == membership.user_id
    return not is_confidential(message) or is_hers or membership.role in STAFF


def is_confidential(message: Message) -> bool:
    """Whether only owner, admins and its subject see a row: who asks is not everyone's business."""
    if message.type is MessageType.ROOM_UPDATE:
        return bool(message.content.get("member", {}).get("state") == MemberState.PENDING)
    is_leave = message.type is MessageType.LEAVE_ROOM
    return is_leave and message.content.get("was") == MemberState.PENDING


def content_allowed(room: Room, content: JSON) -> None:
    """Raise `RejectedContent` for a ``message_type`` that the room does not take."""
    taken = setting(room, "allowed_types")
    if content["message_type"] not in taken:
        error = {
            "pointer": "/content/message_type",
            "message": f"this room takes {', '.join(taken)}",
        }
        raise RejectedContent(errors=[error])


def allowed(room: Room, membership: Membership | None, now: Timestamp) -> list[str]:
    """Return the events this user may send about the room, so that clients need no rules."""
    if membership is None:
        return [] if room.is_private else ["join_room", *VISITOR]
    if membership.is_member:
        return [name for name, r in RIGHTS.items() if not _refusal(r, room, membership, now)]
    if membership.state is MemberState.BANNED:
        return []
    # Whoever asked when one had to may come in like a stranger once one need not.
    is_open = not (room.is_private or setting(room, "require_approval"))
    enters = membership.state is MemberState.INVITED or is_open
    waiting = ["join_room", "leave_room"] if enters else ["leave_room"]
    return waiting + (["room"] if room.is_private else list(VISITOR))


def _refusal(
    right: Right, room: Room, membership: Membership, now: Timestamp
) -> ClientError | None:
    roles = right.roles_if_closed if right.roles_if_closed and _is_closed(room) else right.roles
    if room.type not in right.types:
        return Forbidden(f"not in a {room.type} room", room_id=room.id)
    if membership.role not in roles:
        return Forbidden("your role does not allow this", room_id=room.id, role=membership.role)
    return _silence(room, membership, now) if right.speaks else None


def _is_closed(room: Room) -> bool:
    """Whether owner and admins decide who comes in: no invitation gets around them."""
    if room.type is RoomType.PUBLIC:
        return room.is_private or bool(setting(room, "require_approval"))
    return room.type is RoomType.PRIVATE


def _silence(room: Room, membership: Membership, now: Timestamp) -> ClientError | None:
    if membership.muted_until is not None and membership.is_muted(now):
        return Muted(room_id=room.id, muted_until=timestamp(membership.muted_until))
    if setting(room, "mute_all") and membership.role not in STAFF:
        return Muted("only owner and admins speak here", room_id=room.id)
    return None


def _is_waiting(membership: Membership | None) -> bool:
    return membership is not None and membership.state in WAITING


def _outside(membership: Membership | None) -> str:
    is_banned = membership is not None and membership.state is MemberState.BANNED
    return "banned from this room" if is_banned else "not a member of this room"
