"""What presence needs of the rest of the product; `server.app` provides it."""

from collections.abc import Collection, Mapping
from typing import Protocol

from parley.storage.models import RoomId, UserId


class Rooms(Protocol):
    """Who is in which room. What is awaited may raise `StorageUnavailable`."""

    async def sharing(self, user_id: UserId, others: Collection[UserId]) -> Collection[UserId]:
        """Return those of ``others`` who are in a room with the user; direct rooms count."""
        ...

    async def neighbours(self, user_id: UserId) -> Collection[UserId]:
        """Return everybody who is in a room with the user; direct rooms count."""
        ...

    async def shown_to(self, user_id: UserId, room_id: RoomId) -> Collection[UserId]:
        """Return who is in a room, for one who is in it.

        Raises:
            NotFound, Forbidden: She is not in it.
            Gone: It was deleted.
        """
        ...

    async def inside(self, room_id: RoomId) -> Collection[UserId]:
        """Return who is in a room; nobody is in one that was deleted."""
        ...

    async def revisions(self, user_ids: Collection[UserId]) -> Mapping[UserId, int]:
        """Return how often each user's memberships have changed: the same number, no change."""
        ...
