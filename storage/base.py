"""What durable storage promises, on SQLite or MongoDB; what expires is in `expiring`.

Inboxes have `inbox`, and what is on its way there and out `outgoing`.

Implementations say "See X"; `tests/storage` holds every one to it.

Every method may raise `StorageUnavailable`. Reads see everything that was acknowledged before
they began. Cancelling a call does not undo it: a write that began is finished.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from parley.storage.models import (
    ClientId,
    Draft,
    Duplicate,
    Head,
    Membership,
    MemberState,
    Message,
    MessageId,
    Outcome,
    Page,
    Purged,
    Room,
    RoomId,
    RoomListing,
    RoomOverview,
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
        """Return the room and everyone who has a membership, whatever its state.

        As of ``head`` or later; None if there never was such a room. A deleted one is empty.
        """
        ...

    async def heads(self, room_ids: Collection[RoomId]) -> Mapping[RoomId, Head]:
        """Return where each log ends and its floor; a room that does not exist is left out."""
        ...

    async def listed(
        self,
        *,
        containing: str = "",
        after: tuple[str, RoomId] | None = None,
        limit: int,
    ) -> Sequence[RoomListing]:
        """Return at most ``limit`` rooms that everybody may find, by name, then id.

        These are the public ones that are not private by their settings, and not deleted.
        ``containing`` leaves those whose name has the text in it, in upper or lower case;
        ``after`` goes on behind a `RoomListing.key`. Who is not inside does not count.
        """
        ...

    async def page(self, *, after: RoomId | None = None, limit: int) -> Sequence[Room]:
        """Return at most ``limit`` rooms with an id above ``after``, by id; no deleted ones."""
        ...

    async def delete(
        self, room_id: RoomId, *, epoch: str, after: int, new_epoch: str, at: Timestamp
    ) -> None:
        """Empty the room for good, all or nothing: log, memberships, name and settings.

        No read shows anything of it from now on. What it takes on disk is overwritten by `sweep`,
        so it is as quick for a large log, and others who write do not wait. What is left says
        that it is deleted and whose it was, so that its id is not used again; its log ends at
        (``new_epoch``, 0). Like `MessageRepository.append` it happens only if the log ends at
        (``epoch``, ``after``).

        Raises:
            PositionTaken: The head is not ``after``. Nothing was deleted.
            EpochChanged: The log is another one by now, as after a deletion.
            NotStored: The room does not exist, or was deleted under this epoch.
            StorageUnavailable: Nothing was deleted.
            OutcomeUnknown: It may be deleted. Try again, `EpochChanged` says that it is.
        """
        ...

    async def sweep(self, *, limit: int) -> int:
        """Remove at most ``limit`` rows of deleted rooms' logs for good, and return how many.

        Notifications about a message (see `told_of`) end before its row goes. They count as rows,
        and so does whom it mentions. One short step, so that nobody waits long; repeat until it
        returns 0, which says that nothing is left.
        """
        ...


class MemberRepository(Protocol):
    """Who is in which room, read marks included. Joining and leaving are rows of the log."""

    async def of_user(self, user_id: UserId) -> Sequence[tuple[Membership, Room, Head]]:
        """Return the rooms ``user_id`` is inside (`MemberState.MEMBER`), by room id."""
        ...

    async def waiting(self, user_id: UserId) -> Sequence[tuple[Membership, Room, int]]:
        """Return rooms ``user_id`` is invited to or asked to join, and how many are inside.

        At most `WAITING_CAP`: invitations first, then by room id.
        """
        ...

    async def of_room(
        self, room_id: RoomId, *, state: MemberState, after: UserId | None = None, limit: int
    ) -> Sequence[tuple[Membership, str | None]]:
        """Return at most ``limit`` memberships in ``state``, each with the user's name if known.

        By user id, above ``after``.
        """
        ...

    async def overviews(
        self, user_id: UserId, *, after: RoomId | None = None, limit: int
    ) -> Sequence[RoomOverview]:
        """Return at most ``limit`` rooms ``user_id`` is inside, by room id, above ``after``.

        One consistent view of all of them.
        """
        ...

    async def unread(self, user_id: UserId) -> Mapping[RoomId, Unread]:
        """Return what is unread in every room ``user_id`` is inside; rooms with nothing left out.

        Counted like `MessageRepository.unread`, in one consistent view.
        """
        ...

    async def count(self, user_id: UserId, *, owned: bool = False) -> int:
        """Return how many rooms ``user_id`` is inside, or only the ones she owns."""
        ...

    async def revisions(self, user_ids: Collection[UserId]) -> Mapping[UserId, int]:
        """Return how often each user's memberships have changed: the same number, no change."""
        ...

    async def get(self, room_id: RoomId, user_id: UserId) -> Membership | None:
        """Return one membership in whatever state, None for a stranger."""
        ...

    async def among(
        self, user_id: UserId, room_ids: Collection[RoomId]
    ) -> Mapping[RoomId, Membership]:
        """Return what `get` returns for each room; where she is a stranger it is left out."""
        ...

    async def sharing(self, user_id: UserId, others: Collection[UserId]) -> Collection[UserId]:
        """Return those of ``others`` who are inside a room that ``user_id`` is inside, too."""
        ...

    async def neighbours(self, user_id: UserId) -> Collection[UserId]:
        """Return everybody who is a member of a room that the user is a member of, herself too.

        It is as much work as these rooms have members; `sharing` as the others have rooms.
        """
        ...

    async def mark_read(self, room_id: RoomId, user_id: UserId, seq: int) -> int:
        """Raise the read mark to ``seq``, at most to the head, and return what it is now.

        It never goes back. Returns 0 for who is not inside; her mark is not kept.
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

    def heard(self, room_id: RoomId, *, epoch: str, after: int, rev: int) -> None:
        """Take note that another node was acknowledged the rows behind ``after`` up to ``rev``.

        So the next `append` may spare a look at where the log ends.
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

    async def unread(
        self, room_id: RoomId, user_id: UserId, *, after: int, upto: int | None = None
    ) -> Unread:
        """Count what others said at ``seq > after`` and did not delete, up to `UNREAD_CAP`.

        Not beyond the position ``upto``; None: to the end.
        """
        ...

    async def written_by(
        self, author: UserId, *, reader: UserId, before: MessageId | None = None, limit: int
    ) -> Sequence[Message]:
        """Return at most ``limit`` messages ``author`` said where ``reader`` can read them.

        In rooms the reader is inside, from her ``visible_from_seq`` on; no deleted ones. By
        falling id, which is nearly the order they were made in; ``before`` goes on below one.
        """
        ...

    async def spoken(self, *, after: str, limit: int) -> Sequence[Message]:
        """Return at most ``limit`` messages that people said in any room, by id, above ``after``.

        Ids rise with the time at which a message was made, which is a little before it is stored.
        """
        ...

    async def revised(
        self, *, after: tuple[Timestamp, str], limit: int
    ) -> Sequence[tuple[Timestamp, Message]]:
        """Return at most ``limit`` edits and deletions in any room: when, and the message today.

        By time and id of the message, above the pair ``after``.
        """
        ...

    async def purge(self, room_id: RoomId, *, before: Timestamp, limit: int) -> Purged:
        """Remove messages whose latest change was before ``before``, as far as ``limit`` rows go.

        One short step, so that nobody waits long; repeat while ``more``. ``log_floor`` is
        raised over what goes, durably before it goes: up to there `changes` is not dense. The
        row at the head stays, with its message, so no position is used again. Control messages
        go too, what they did stays. So do old rows of a message that was changed later: it
        stays as it is.

        A client_id goes with its row. Its retry would be stored again, so ``before`` must be at
        least 7 days ago. Ages are looked at in the order of the log: a row whose clock was
        ahead holds back those behind it.
        """
        ...

    async def oldest(self, room_id: RoomId) -> int:
        """Return the ``seq`` of the oldest message that is kept.

        Where there is none it is that of the next one, head + 1: below it nothing will ever be.
        """
        ...


class UserRepository(Protocol):
    """Who has been seen."""

    async def see(self, user_id: UserId, name: str | None, at: Timestamp) -> User:
        """Record that the user exists and is called ``name`` (None: keep what is known)."""
        ...

    async def get(self, user_id: UserId) -> User | None:
        """Return one user, None if never seen."""
        ...

    async def known(self, user_ids: Collection[UserId]) -> Mapping[UserId, User]:
        """Return the records of those who were seen; others are left out."""
        ...

    async def saw(self, seen: Mapping[UserId, Timestamp]) -> None:
        """Record when users were last seen online; it never goes back.

        Who was never seen before has a record from then on.
        """
        ...

    async def set_invisible(self, user_id: UserId, invisible: bool, at: Timestamp) -> None:
        """Record whether a user appears offline to others; her record appears with it."""
        ...

    async def names(self, user_ids: Collection[UserId]) -> Mapping[UserId, str]:
        """Return what users are called; who was never seen or has no name is left out."""
        ...

    async def page(self, *, after: UserId | None = None, limit: int) -> Sequence[User]:
        """Return at most ``limit`` users with an id above ``after``, by id."""
        ...

    async def count(self) -> int:
        """Return how many have been seen."""
        ...
