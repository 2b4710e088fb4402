"""Who appears offline: on disk, where it outlives her connections, and in the store of presence."""

import asyncio
from collections.abc import Callable, Collection

from parley.storage.base import UserRepository
from parley.storage.expiring import PresenceStore
from parley.storage.models import Timestamp, UserId

AT_ONCE = 500  # users in one comparison


class Hiding:
    """Keeps store and disk alike. The disk is right: it holds at the next connection."""

    def __init__(
        self,
        *,
        store: PresenceStore,
        users: UserRepository,
        now: Callable[[], Timestamp],
        tell: Callable[[Collection[UserId]], None],
    ) -> None:
        """Let ``tell`` hear of those whose presence has changed by it."""
        self._store = store
        self._users = users
        self._now = now
        self._tell = tell
        # One after the other, or disk and store could end with two different answers.
        self._one = asyncio.Lock()

    async def hidden(self, user_ids: Collection[UserId]) -> Collection[UserId]:
        """Return who of them appears offline, by the disk."""
        known = await self._users.known(user_ids)
        return {user.id for user in known.values() if user.invisible}

    async def hide(self, user_id: UserId, invisible: bool) -> None:
        """Make a user appear offline to others, or end that; return when it is so.

        Raises:
            StorageUnavailable: It may not be so; asking again is safe.
        """
        async with self._one:
            presence = (await self._store.get([user_id]))[user_id]
            # The disk as well: an earlier try may have written it, and never heard so.
            recorded = user_id in await self.hidden([user_id])
            if presence.devices and presence.invisible is recorded is invisible:
                return
            await self._users.set_invisible(user_id, invisible, self._now())
            if presence.is_shown:
                await self._users.saw({user_id: self._now()})
            await self._keep(user_id, invisible)

    async def compare(self, user_ids: Collection[UserId]) -> None:
        """Let the store hide those of them whom the disk hides, and nobody else.

        Raises:
            StorageUnavailable: Some were not compared; calling again is safe.
        """
        wanted = list(user_ids)
        for begin in range(0, len(wanted), AT_ONCE):
            part = wanted[begin : begin + AT_ONCE]
            async with self._one:
                hidden = await self.hidden(part)
                for user_id, presence in (await self._store.get(part)).items():
                    if presence.devices and presence.invisible is not (user_id in hidden):
                        await self._keep(user_id, user_id in hidden)

    async def _keep(self, user_id: UserId, invisible: bool) -> None:
        if await self._store.hide(user_id, invisible, at=self._now()):
            self._tell([user_id])
