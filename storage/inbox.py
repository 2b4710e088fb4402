"""What the storage of inboxes promises, on SQLite or MongoDB; see `storage.base` for all of it."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from parley.storage.models import JSON, ClientId, Head, Timestamp, UserId
from parley.storage.notifications import (
    Added,
    Ending,
    InboxPage,
    Notification,
    NotificationDraft,
    NotificationId,
    PushTerms,
)


class NotificationRepository(Protocol):
    """The inbox of every user: append-only, positions 1, 2, 3 … without holes, as a room's log.

    A change that changes nothing takes no position, so every change here is safe to repeat.
    """

    async def add(
        self, drafts: Sequence[NotificationDraft], *, push: PushTerms | None = None
    ) -> Sequence[Added]:
        """Store each draft at the end of its user's inbox; return an outcome for each, in order.

        When it returns, every row is on disk. A draft whose user and client_id were stored before
        is a duplicate and takes no position. One whose ``collapse_key`` another notification of
        its user has ends that one, at the position before its own. With ``push`` each new one is
        entered into the outbox in the same step; see `PushOutbox`.

        Raises:
            StorageUnavailable: Nothing was stored.
            OutcomeUnknown: Some may be stored. Add the same again.
        """
        ...

    async def mark_read(
        self,
        user_id: UserId,
        *,
        ids: Collection[NotificationId] | None = None,
        upto: int | None = None,
        at: Timestamp,
        limit: int,
    ) -> int:
        """Make at most ``limit`` unread notifications read, oldest first; return how many.

        Those of ``ids``, or with ``seq <= upto``; neither: all. Each takes a position. Repeat
        while it returns ``limit``. What is not there, or has ended, is passed over.
        """
        ...

    async def end(
        self, user_id: UserId, ids: Collection[NotificationId], *, how: Ending, at: Timestamp
    ) -> int:
        """End notifications and erase what they say; return how many there were to end."""
        ...

    async def expire(
        self, *, now: Timestamp, made_before: Timestamp | None = None, limit: int
    ) -> Mapping[UserId, int]:
        """End at most ``limit`` notifications whose time is over; return the heads of their users.

        With ``made_before`` those that are older, too. Repeat until it returns nothing.
        """
        ...

    async def purge(self, *, before: Timestamp, limit: int) -> int:
        """Remove at most ``limit`` notifications that ended before ``before``; return how many.

        Their rows go for good, so `changes` is not dense there; that at the head stays, so no
        position is used again. A client_id goes with its notification, so ``before`` must be at
        least 7 days ago. One short step; repeat until it returns 0.
        """
        ...

    async def holders(self, client_id: ClientId) -> Collection[UserId]:
        """Return who has a notification with a client_id that has not ended."""
        ...

    async def retract(
        self,
        client_id: ClientId,
        *,
        among: Collection[UserId] | None = None,
        at: Timestamp,
        limit: int,
    ) -> Mapping[UserId, int]:
        """End at most ``limit`` notifications with a client_id; return the heads of their users.

        In the inboxes ``among`` these, None: in whatever inbox they are. Repeat until it returns
        nothing.
        """
        ...

    async def revise(
        self,
        client_id: ClientId,
        *,
        among: Collection[UserId],
        content: JSON,
        at: Timestamp,
        limit: int,
    ) -> Mapping[UserId, int]:
        """Give at most ``limit`` notifications with a client_id another content; return the heads.

        In the inboxes ``among`` these; each takes a position there, and is as unread as it was.
        Those that have ended, or say it already, are passed over. Repeat until it returns nothing.
        """
        ...

    async def heads(self, user_ids: Collection[UserId]) -> Mapping[UserId, Head]:
        """Return where each inbox ends; one that has nothing ends at 0."""
        ...

    async def changes(self, user_id: UserId, *, after: int, limit: int | None = None) -> InboxPage:
        """Return what changed after position ``after``: at most ``limit`` rows, None for all.

        One consistent view: no notification is returned in a state older than its newest row.
        """
        ...

    async def listed(
        self, user_id: UserId, *, before: int | None = None, unread: bool = False, limit: int
    ) -> Sequence[Notification]:
        """Return at most ``limit`` that have not ended, newest first, with ``seq < before``.

        ``unread`` leaves those that were not read.
        """
        ...

    async def unread(self, user_id: UserId) -> int:
        """Count those that were neither read nor have ended, up to `UNREAD_CAP`."""
        ...
