"""What storage promises. Implementations say "See X"; `tests/storage` holds every one to it.

Durable, on SQLite or MongoDB: `RoomRepository`, `MemberRepository`, `MessageRepository`,
`UserRepository`. Expiring, in memory or Redis: `Bus`, `ConnectionRegistry`.

Every method may raise `StorageUnavailable`. Reads see everything that was acknowledged before
they began. Cancelling a call does not undo it: a write that began is finished.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Protocol

from parley.storage.models import (
    ClientId,
    Connection,
    Draft,
    Duplicate,
    Head,
    Membership,
    Message,
    MessageId,
    Outcome,
    Page,
    Room,
    RoomId,
    RoomSnapshot,
    Timestamp,
    Unread,
    User,
    UserId,
)


class RoomRepository(Protocol):
    """Rooms and where their logs end."""

    async def create(self, room: Room, founding: Sequence[Draft]) -> RoomSnapshot:
        """Store ``room`` with ``founding`` (control rows) from position 1 on.

        All or nothing. If a room with this id exists nothing is written and the stored one is
        returned, so creating is safe to repeat.
        """
        ...

    async def get(self, room_id: RoomId) -> RoomSnapshot | None:
        """Return the room with its members as of ``head`` or later, None if there is none."""
        ...

    async def heads(self, room_ids: Collection[RoomId]) -> Mapping[RoomId, Head]:
        """Return where each log ends; a room that does not exist is left out."""
        ...


class MemberRepository(Protocol):
    """Who is in which room, read marks included. Joining and leaving are rows of the log."""

    async def of_user(self, user_id: UserId) -> Sequence[tuple[Membership, Room, Head]]:
        """Return the rooms ``user_id`` is a member of, ordered by room id."""
        ...

    async def count(self, user_id: UserId, *, owned: bool = False) -> int:
        """Return how many rooms ``user_id`` is a member of, or only the ones she owns."""
        ...

    async def revisions(self, user_ids: Collection[UserId]) -> Mapping[UserId, int]:
        """Return how often each user's memberships have changed: the same number, no change."""
        ...

    async def get(self, room_id: RoomId, user_id: UserId) -> Membership | None:
        """Return one membership, None for a stranger."""
        ...

    async def mark_read(self, room_id: RoomId, user_id: UserId, seq: int) -> int:
        """Raise the read mark to ``seq``, at most to the head, and return what it is now.

        It never goes back. Returns 0 for a stranger, whose mark is not kept.
        """
        ...


class MessageRepository(Protocol):
    """The log of every room: append-only, positions 1, 2, 3 … without holes.

    A position once taken is never free again, and position p + 1 exists only after p is durable.
    """

    async def append(
        self, room_id: RoomId, *, epoch: str, after: int, drafts: Sequence[Draft]
    ) -> Sequence[Outcome]:
        """Store ``drafts`` at ``after + 1`` and up, in order; return an outcome for each.

        When it returns, every `Stored` row is on disk. A draft whose room, sender and client_id
        were stored before is a `Duplicate` and takes no position; the next one takes it.
        Memberships and messages show the rows at once.

        Raises:
            PositionTaken: The head is not ``after``. Nothing was stored.
            EpochChanged: The log is another one by now. Nothing was stored.
            NotStored: The room, or the message a row changes, does not exist. Nothing was stored.
            StorageUnavailable: Nothing was stored.
            OutcomeUnknown: Some rows, from the first on, may be stored. Append the same again.
        """
        ...

    async def stored(
        self, room_id: RoomId, sender: UserId, client_id: ClientId
    ) -> Duplicate | None:
        """Return what `append` would answer to this client_id, None if it is new."""
        ...

    async def changes(self, room_id: RoomId, *, after: int, limit: int | None = None) -> Page:
        """Return what changed after position ``after``: at most ``limit`` rows, None for all.

        One consistent view: no message is returned in a state older than its newest row.
        """
        ...

    async def history(
        self,
        room_id: RoomId,
        *,
        limit: int,
        before: int | None = None,
        after: int | None = None,
        floor: int = 0,
    ) -> Sequence[Message]:
        """Return at most ``limit`` messages by rising ``seq``, with ``seq >= floor``.

        ``before`` gives the newest with ``seq < before``, ``after`` the oldest with
        ``seq > after``, neither the newest of all. Not both.
        """
        ...

    async def get(self, message_id: MessageId) -> Message | None:
        """Return one message in its present state."""
        ...

    async def unread(self, room_id: RoomId, user_id: UserId, *, after: int) -> Unread:
        """Count what others said at ``seq > after`` and did not delete, up to `UNREAD_CAP`."""
        ...


class UserRepository(Protocol):
    """Who has been seen."""

    async def see(self, user_id: UserId, name: str | None, at: Timestamp) -> User:
        """Record that the user exists and is called ``name`` (None: keep what is known)."""
        ...

    async def get(self, user_id: UserId) -> User | None:
        """Return one user, None if never seen."""
        ...


class Subscription(Protocol):
    """A running subscription to one channel."""

    async def cancel(self) -> None:
        """End it; nothing is delivered after this returns."""
        ...


Listener = Callable[[bytes], Awaitable[None]]


class Bus(Protocol):
    """Hints between nodes: at most once, in any order, perhaps never.

    Nothing may depend on a message that was published here; storage is the truth.
    """

    async def subscribe(self, channel: str, listener: Listener) -> Subscription:
        """Call ``listener`` for what is published from now on; confirmed when it returns.

        Listeners are called one after the other and must not block; their errors are logged.
        """
        ...

    def publish(self, channel: str, payload: bytes) -> None:
        """Hand over one payload without waiting. Never raises for a bus that is away."""
        ...


class ConnectionRegistry(Protocol):
    """Live sockets of every node. An entry that is not renewed expires with its lease."""

    async def register(self, connection: Connection) -> None:
        """Add one connection, or renew its lease."""
        ...

    async def unregister(self, connection: Connection) -> None:
        """Remove one connection; one that is not there is not an error."""
        ...

    async def of_user(self, user_id: UserId) -> Sequence[Connection]:
        """Return the user's live connections, oldest first."""
        ...

    async def online(self) -> Collection[UserId]:
        """Return everyone with a live connection."""
        ...
