"""One socket's events, handled in the order they came: a task for each would reorder them."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable

logger = logging.getLogger(__name__)

LIMIT = 256  # events waiting or overlapping; a socket that sends on is not read meanwhile

Second = Awaitable[None]
"""The rest of a job whose order is already fixed, so that the next job may begin."""

Job = Callable[[], Awaitable[Second | None]]


class Mailbox:
    """Runs jobs one after the other, in a task that exists only while there are any.

    A job may return a second part, which runs beside the jobs that follow if those overlap too:
    a client that sends ten messages at once waits for one commit, not for ten. A job that does
    not overlap starts when every earlier one is through, so it sees what they did.
    """

    __slots__ = ("_overlapping", "_space", "_waiting", "_worker")

    def __init__(self) -> None:
        self._waiting: deque[tuple[Job, bool]] = deque()
        self._overlapping: set[asyncio.Task[None]] = set()
        self._worker: asyncio.Task[None] | None = None
        self._space: asyncio.Event | None = None

    async def put(self, job: Job, *, overlaps: bool) -> None:
        """Take one more job; waits while the mailbox is full."""
        while len(self._waiting) >= LIMIT:
            self._space = self._space or asyncio.Event()
            await self._space.wait()
        self._waiting.append((job, overlaps))
        if self._worker is None:
            self._worker = asyncio.create_task(self._work())

    async def idle(self) -> None:
        """Wait until everything that was put is through."""
        while self._worker is not None or self._overlapping:
            running = set(self._overlapping)
            if self._worker is not None:
                running.add(self._worker)
            await asyncio.wait(running)

    async def _work(self) -> None:
        try:
            while self._waiting:
                job, overlaps = self._waiting.popleft()
                if self._space is not None:
                    self._space.set()
                    self._space = None
                # A flood that overlaps is bounded like one that does not.
                if self._overlapping and (not overlaps or len(self._overlapping) >= LIMIT):
                    await asyncio.wait(self._overlapping)
                try:
                    second = await job()
                except Exception:
                    # The door answers everything it can foresee; the next event goes on.
                    logger.exception("an event was not answered")
                    continue
                if second is not None:
                    self._overlap(second)
        finally:
            self._worker = None

    def _overlap(self, second: Second) -> None:
        async def finish() -> None:
            try:
                await second
            except Exception:
                logger.exception("an event was not answered")

        task = asyncio.create_task(finish())
        self._overlapping.add(task)
        task.add_done_callback(self._overlapping.discard)
