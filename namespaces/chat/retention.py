"""Removing for good: what is older than it may become, and what deleted rooms left."""

import asyncio
import contextlib
import logging
from collections.abc import Callable

from parley.storage.base import MessageRepository, RoomRepository
from parley.storage.errors import StorageUnavailable
from parley.storage.models import Room, RoomId, Timestamp

logger = logging.getLogger(__name__)

DAY_MS = 24 * 3_600_000
EVERY_S = 3_600.0  # between two rounds over all rooms
ROOMS = 200  # read at once
STEP_ROWS = 500  # removed in one transaction, between which others write
PAUSE_S = 0.01  # after each, so that a big purge leaves room for them


class Retention:
    """Purges messages whose latest change is too long ago, and sweeps up behind deleted rooms.

    Safe to run on several nodes. Whatever stops it, the next round goes on from there.
    """

    def __init__(
        self,
        *,
        rooms: RoomRepository,
        messages: MessageRepository,
        days: int | None,
        now: Callable[[], Timestamp],
    ) -> None:
        """Keep messages ``days`` at most; None: only rooms with ``retention_days`` lose any."""
        self._rooms = rooms
        self._messages = messages
        self._days = days
        self._now = now
        self._deleted = asyncio.Event()

    def sweep_soon(self) -> None:
        """Let `purge_forever` sweep at once, for a room was deleted."""
        self._deleted.set()

    async def purge_forever(self) -> None:
        """Purge every `EVERY_S`, and sweep when it is asked for, whatever storage does."""
        now = asyncio.get_running_loop().time
        due = now()
        while True:
            self._deleted.clear()  # first: what is deleted from here on is another round's
            try:
                if now() < due:
                    await self.sweep()
                else:
                    due = now() + EVERY_S
                    removed = await self.purge()
                    if removed:
                        logger.info("retention: %d messages were removed", removed)
            except StorageUnavailable:
                logger.warning("retention: storage does not answer")
            except Exception:
                logger.exception("retention failed")  # the next round may not
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(due):
                    await self._deleted.wait()

    async def sweep(self) -> None:
        """Remove what is left of deleted rooms.

        Raises:
            StorageUnavailable: The rest is removed in the next round.
        """
        removed = STEP_ROWS
        while removed:
            removed = await self._rooms.sweep(limit=STEP_ROWS)
            await asyncio.sleep(PAUSE_S)

    async def purge(self) -> int:
        """Sweep, then go once over every room and return how many messages were removed.

        Raises:
            StorageUnavailable: The rest is removed in the next round.
        """
        await self.sweep()
        removed = 0
        after: RoomId | None = None
        while page := await self._rooms.page(after=after, limit=ROOMS):
            for room in page:
                removed += await self._purge_room(room)
            after = page[-1].id
        return removed

    async def _purge_room(self, room: Room) -> int:
        days = self._days_of(room)
        if days is None:
            return 0
        before = Timestamp(self._now() - days * DAY_MS)
        removed, more = 0, True
        while more:
            step = await self._messages.purge(room.id, before=before, limit=STEP_ROWS)
            removed, more = removed + step.removed, step.more
            if more:
                await asyncio.sleep(PAUSE_S)
        return removed

    def _days_of(self, room: Room) -> int | None:
        """Return the shorter of the room's time and the server's: each is a promise."""
        own = room.settings.get("retention_days")
        given = [days for days in (own, self._days) if days]
        return min(given) if given else None
