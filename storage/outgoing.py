"""What durable storage promises of notifications that are on their way: to many, and to devices.

Like `storage.base`: implementations say "See X", and `tests/storage` holds every one to it.
"""

from collections.abc import Collection, Sequence
from typing import Protocol

from parley.storage.models import RoomId, Timestamp, UserId
from parley.storage.notifications import NotificationId, Publication, PublicationId, Push


class MuteRepository(Protocol):
    """From which rooms a user wants no notifications."""

    async def set_muted(self, user_id: UserId, room_id: RoomId, *, muted: bool) -> None:
        """Mute a room for one user, or end that."""
        ...

    async def of_user(self, user_id: UserId) -> Sequence[RoomId]:
        """Return the rooms that a user has muted, by id."""
        ...

    async def muting(self, room_id: RoomId, user_ids: Collection[UserId]) -> Collection[UserId]:
        """Return those of ``user_ids`` who have muted the room."""
        ...


class PublicationRepository(Protocol):
    """Fan-outs that were begun, so that one that was broken off is gone on with.

    Of several nodes one is at a fan-out: the one that began it or got it from `unfinished`, until
    nothing was heard of it for a minute. Should two be at it all the same, what both add is there
    once, and the one that is farther is believed.
    """

    async def begin(self, publication: Publication) -> Publication:
        """Keep a publication; if its publisher has one of this client_id, return that one."""
        ...

    async def get(self, publication_id: PublicationId) -> Publication | None:
        """Return a publication as far as it has come."""
        ...

    async def advance(self, publication: Publication) -> None:
        """Note how far a publication has come: ``done``, ``stored``, ``after``, ``finished``.

        Call it after the notifications up to there are stored: what is added again is a duplicate.
        """
        ...

    async def unfinished(self) -> Sequence[Publication]:
        """Return what this node is to go on with, oldest first: its own, and what others left."""
        ...

    async def forget(self, *, before: Timestamp) -> int:
        """Remove finished ones that were begun before ``before``, and return how many.

        Their retries would be published again, so ``before`` must be at least 7 days ago.
        """
        ...

    async def checkpoint(self, name: str) -> str | None:
        """Return what was last given to `keep_checkpoint`, None if nothing was.

        Of several nodes the one that has come least far: all before it is done, whoever did it.
        """
        ...

    async def keep_checkpoint(self, name: str, position: str) -> None:
        """Keep how far some work has come on this node.

        After `checkpoint` it also says that this node did what others had left before there.
        """
        ...


class PushOutbox(Protocol):
    """Pushes that wait for their time or their receiver; `NotificationRepository.add` enters them.

    A push whose notification has been read or has ended is not one any more. Of several nodes
    one has a push at a time: the one that got it from `due`, until it settles or postpones it, or
    nothing was heard of it for some minutes.
    """

    async def due(self, *, now: Timestamp, limit: int) -> Sequence[Push]:
        """Return at most ``limit`` pushes whose time has come, the longest due first.

        What another node has is left out.
        """
        ...

    async def next_due(self) -> Timestamp | None:
        """Return when `due` will have something for this node, None if none waits."""
        ...

    async def postpone(self, notification_id: NotificationId, *, due_at: Timestamp) -> None:
        """Count one try and let the push wait until ``due_at``."""
        ...

    async def settle(self, notification_ids: Collection[NotificationId]) -> None:
        """Remove pushes: they were sent, are not wanted any more, or given up."""
        ...

    async def size(self) -> int:
        """Return how many wait."""
        ...
