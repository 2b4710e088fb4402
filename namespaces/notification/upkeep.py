"""What has to be looked at from time to time: heads, expiry, checkpoints, publications."""

import asyncio
import logging
from collections.abc import Callable

from parley.namespaces.notification.alerts import Alerts
from parley.namespaces.notification.feeds import InboxFeeds
from parley.namespaces.notification.publishing import Publisher
from parley.namespaces.pausing import Pause
from parley.storage.errors import StorageUnavailable
from parley.storage.expiring import Bus
from parley.storage.inbox import NotificationRepository
from parley.storage.models import Timestamp
from parley.storage.outgoing import PublicationRepository

logger = logging.getLogger(__name__)

EVERY_S = 2.0
STEP = 500  # notifications that end in one transaction
DAY_MS = 24 * 3_600_000
FORGET_MS = 8 * DAY_MS  # what is over; its retries are known for 7 days at least
FORGET_EVERY_S = 3_600.0
PAUSE_S = 0.01  # after each step of a purge, so that others have room to write


class Upkeep:
    """Safe to run on several nodes."""

    def __init__(
        self,
        *,
        feeds: InboxFeeds,
        alerts: Alerts,
        publisher: Publisher,
        notifications: NotificationRepository,
        publications: PublicationRepository,
        bus: Bus,
        days: int | None,
        now: Callable[[], Timestamp],
    ) -> None:
        """Let notifications end that are ``days`` old; None: only those whose time is over."""
        self._feeds = feeds
        self._alerts = alerts
        self._publisher = publisher
        self._notifications = notifications
        self._publications = publications
        self._days = days
        self._now = now
        self._pause = Pause()
        bus.on_reconnect(self._pause.end)
        self._forget_at = 0.0  # of the event loop's clock

    async def once(self) -> None:
        """Do all of it once.

        Raises:
            StorageUnavailable: Nothing is wrong by that; call again.
        """
        await self._feeds.audit()
        await self.expire()
        await self._publisher.resume()
        self._alerts.try_again()
        await self._alerts.keep_checkpoint()
        if asyncio.get_running_loop().time() >= self._forget_at:
            self._forget_at = asyncio.get_running_loop().time() + FORGET_EVERY_S
            await self.forget()

    async def expire(self) -> None:
        """End what has expired, and show that.

        Raises:
            StorageUnavailable: The rest ends in the next round.
        """
        now = self._now()
        made_before = None if self._days is None else Timestamp(now - self._days * DAY_MS)
        while ended := await self._notifications.expire(
            now=now, made_before=made_before, limit=STEP
        ):
            self._feeds.announce_all(ended)

    async def forget(self) -> None:
        """Remove for good what is over for long enough.

        Raises:
            StorageUnavailable: The rest goes in the next round.
        """
        before = Timestamp(self._now() - FORGET_MS)
        await self._publications.forget(before=before)
        removed = STEP
        while removed:
            removed = await self._notifications.purge(before=before, limit=STEP)
            await asyncio.sleep(PAUSE_S)

    async def forever(self) -> None:
        """Look every `EVERY_S` and when the bus is back, whatever storage does."""
        while True:
            await self._pause(EVERY_S)
            try:
                await self.once()
            except StorageUnavailable:
                logger.warning("inboxes: storage does not answer")
            except Exception:
                logger.exception("the upkeep of inboxes failed")  # the next round may not
