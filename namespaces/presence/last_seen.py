"""When people were last seen, on disk."""

from collections.abc import Callable, Collection

from parley.namespaces import hints
from parley.storage.base import UserRepository
from parley.storage.expiring import PresenceStore
from parley.storage.models import Timestamp, UserId


class LastSeen:
    """Notes when people are seen: when they leave, and from time to time while they are here.

    So after a crash `last_seen` of who was here is at most as old as the time between two.
    """

    def __init__(
        self, *, store: PresenceStore, users: UserRepository, now: Callable[[], Timestamp]
    ) -> None:
        self._store = store
        self._users = users
        self._now = now

    async def record(self, user_ids: Collection[UserId]) -> None:
        """Note that those of them are seen who are shown at this moment.

        Raises:
            StorageUnavailable: Not of all; calling again is safe.
        """
        found = await self._store.get(user_ids)
        await self.note([user_id for user_id, presence in found.items() if presence.is_shown])

    async def note(self, user_ids: Collection[UserId]) -> None:
        """Note that all of them were seen, up to this moment.

        Raises:
            StorageUnavailable: Not of all; calling again is safe.
        """
        seen, now = list(user_ids), self._now()
        for begin in range(0, len(seen), hints.USERS_A_HINT):
            await self._users.saw(dict.fromkeys(seen[begin : begin + hints.USERS_A_HINT], now))
