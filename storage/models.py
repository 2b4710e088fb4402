"""Records and id types: what is kept, without saying where. No I/O here.

A room is an append-only log. Each change to it is one `Draft`, placed by storage at the room's
next position. A `Message` is what the rows about it add up to (see `storage.fold`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NewType

UserId = NewType("UserId", str)  # a token's ``sub``: 1-64 of A-Za-z0-9._@-
RoomId = NewType("RoomId", str)  # 24 hex, or ``d-`` + 32 hex for a direct room
MessageId = NewType("MessageId", str)  # 24 hex
ClientId = NewType("ClientId", str)  # made by the client, one for every try of a request
Timestamp = NewType("Timestamp", int)  # milliseconds since 1970-01-01 UTC

JSON = Mapping[str, Any]  # an object as a client sent it, already checked


class RoomType(StrEnum):
    """How people get into a room."""

    PUBLIC = "public"  # listed, anyone joins
    PRIVATE = "private"  # owner and admins invite
    GROUP = "group"  # any member invites
    DIRECT = "direct"  # two people, made by their first private message


class Role(StrEnum):
    """What a member may do; see `namespaces.chat.access`."""

    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"


class MemberState(StrEnum):
    """Where somebody stands with a room. Who left has no membership at all."""

    MEMBER = "member"
    INVITED = "invited"  # may join
    PENDING = "pending"  # asked to join, and waits for an answer
    BANNED = "banned"


WAITING = frozenset({MemberState.INVITED, MemberState.PENDING})
"""States of which one more step makes a member."""


class MessageType(StrEnum):
    """The wire's ``type``. The last three change the room itself: control messages."""

    CHAT = "chat"
    GROUP = "group"
    PRIVATE = "private"
    JOIN_ROOM = "join_room"
    LEAVE_ROOM = "leave_room"
    ROOM_UPDATE = "room_update"


SPOKEN = frozenset({MessageType.CHAT, MessageType.GROUP, MessageType.PRIVATE})
"""Types that people write; only these are counted as unread, edited, deleted or reacted to."""


class RowKind(StrEnum):
    """What a row of the log does to its message."""

    CREATE = "create"
    EDIT = "edit"
    DELETE = "delete"
    REACT = "react"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A row of a room's log that has no position yet.

    ``id`` stays the same over every try to store it. For a ``create`` row it is the message's id.
    """

    id: str  # 24 hex
    kind: RowKind
    message_id: MessageId
    sender: UserId
    client_id: ClientId  # ``sys:{id}`` where the server made the row
    digest: bytes  # keyed digest of the request, tells a retry from another request
    created_at: Timestamp
    # create
    type: MessageType = MessageType.CHAT
    to: UserId | None = None
    metadata: JSON | None = None
    # create and edit
    content: JSON = field(default_factory=dict[str, Any])
    # react
    emoji: str = ""
    on: bool = True

    @property
    def is_spoken(self) -> bool:
        """Whether it is a new message that somebody says."""
        return self.kind is RowKind.CREATE and self.type in SPOKEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message's state as of ``rev``, the position of its latest change."""

    id: MessageId
    room_id: RoomId
    type: MessageType
    seq: int  # position it was created at: its place in the history
    rev: int
    sender: UserId
    to: UserId | None = None
    client_id: ClientId
    content: JSON  # {} once deleted
    metadata: JSON | None = None
    created_at: Timestamp
    edited_at: Timestamp | None = None
    deleted: bool = False
    reactions: Mapping[str, tuple[UserId, ...]] = field(  # in order of use
        default_factory=dict[str, tuple[UserId, ...]]
    )

    @property
    def is_control(self) -> bool:
        """Whether it changes the room's members or settings."""
        return self.type not in SPOKEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A row took ``message.rev``; ``message`` is the state as of exactly that position."""

    message: Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Duplicate:
    """A row with this room, sender and client_id was stored before; nothing was written.

    ``rev`` and ``created_at`` are those of the first row, ``message`` the state of today.
    """

    rev: int
    digest: bytes
    created_at: Timestamp
    message: Message


Outcome = Stored | Duplicate


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Changes of a stretch of a log: each message once, at its newest row of the whole log.

    A message whose newest row lies beyond ``last`` is left out; it comes with the page that
    reaches that row.
    """

    messages: tuple[Message, ...]  # by rising ``rev``
    last: int  # newest position examined; the asked-for position where there was none
    more: bool  # are there rows after ``last``?
    dense: bool = True  # False: a position up to ``last`` is missing, which is damage


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """A room's own data; who is in it is in `Membership`."""

    id: RoomId
    name: str
    type: RoomType
    description: str | None = None
    owner: UserId | None  # None: everybody left
    created_at: Timestamp
    updated_at: Timestamp
    rev: int = 0  # position of the latest change of what is kept here
    epoch: str  # 8 hex, renewed when the log is emptied or restored
    log_floor: int = 0  # changes up to this position may be purged
    settings: JSON = field(default_factory=dict[str, Any])  # what differs from the defaults
    deleted: bool = False  # emptied for good; its id is never used again

    @property
    def is_private(self) -> bool:
        """Whether it is unlisted and entered by invitation only."""
        return bool(self.settings.get("is_private", self.type is not RoomType.PUBLIC))


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """One user in one room."""

    room_id: RoomId
    user_id: UserId
    role: Role
    state: MemberState = MemberState.MEMBER
    visible_from_seq: int  # history before it does not exist for her
    joined_rev: int  # position of the row that began `state`; an older cursor is void
    joined_at: Timestamp
    read_seq: int
    muted_until: Timestamp | None = None

    @property
    def is_member(self) -> bool:
        """Whether she is inside."""
        return self.state is MemberState.MEMBER

    def is_muted(self, now: Timestamp) -> bool:
        """Whether she may not speak; a mute ends by itself."""
        return self.muted_until is not None and self.muted_until > now

    @property
    def unread_after(self) -> int:
        """Return the position after which messages count as unread."""
        return max(self.read_seq, self.visible_from_seq - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """Where a room's log ends, and up to where it may be purged."""

    epoch: str
    rev: int
    log_floor: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomSnapshot:
    """A room, everyone in it and the position this is true at (or a little after)."""

    room: Room
    head: int
    members: tuple[Membership, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """What a member has not read, counted up to `UNREAD_CAP`."""

    count: int
    mentions: int


UNREAD_CAP = 1_000
WAITING_CAP = 1_000  # invitations and requests of one user that are looked at


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """What is known of a user; the record appears at first sight."""

    id: UserId
    name: str | None
    first_seen: Timestamp
    last_seen: Timestamp | None = None  # as others may know it; None: never seen online
    invisible: bool = False  # she appears offline, until she takes it back


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomListing:
    """A room as everybody may find it."""

    room: Room
    member_count: int
    key: tuple[str, RoomId]  # its place in the list, to go on after


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomOverview:
    """A room as one of its members has it in her list."""

    membership: Membership
    room: Room
    head: int
    member_count: int
    unread: Unread
    last_message: Message | None  # of a `SPOKEN` type, and visible to her; it may be deleted
    peer: UserId | None  # who else is in a direct room


@dataclass(frozen=True, slots=True, kw_only=True)
class Purged:
    """What one step of a purge did."""

    removed: int  # messages
    log_floor: int  # of the room from now on
    more: bool  # is there more that is old enough?
