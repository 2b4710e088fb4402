"""The bus is a hint, never the truth: what it did not say is found here."""

import logging

from parley.namespaces.chat.feeds import RoomFeeds
from parley.namespaces.chat.followed import FollowedUsers
from parley.namespaces.pausing import Pause
from parley.storage.errors import StorageUnavailable
from parley.storage.expiring import Bus

logger = logging.getLogger(__name__)

EVERY_S = 2.0  # between two comparisons with storage


class Audit:
    """Compares what this node knows with storage, and repairs it."""

    def __init__(self, *, feeds: RoomFeeds, users: FollowedUsers, bus: Bus) -> None:
        self._feeds = feeds
        self._users = users
        self._pause = Pause()
        bus.on_reconnect(self._pause.end)

    async def once(self) -> None:
        """Look at heads first, then at memberships.

        Raises:
            StorageUnavailable: Nothing is wrong by that; call again.
        """
        await self._feeds.audit()
        await self._users.audit()

    async def forever(self) -> None:
        """Audit every `EVERY_S` and when the bus is back, whatever storage does."""
        while True:
            await self._pause(EVERY_S)
            try:
                await self._feeds.close_idle()
                await self.once()
            except StorageUnavailable:
                logger.warning("audit: storage does not answer")
            except Exception:
                logger.exception("audit failed")  # the next one may not
