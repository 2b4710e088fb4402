"""One socket's events, handled in the order they came: a task for each would reorder them."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from typing import Any

from parley.namespaces.eager import start

logger = logging.getLogger(__name__)

LIMIT = 256  # events waiting or overlapping; a socket that sends on is not read meanwhile


@dataclass(frozen=True, slots=True)
class Second:
    """The rest of a job whose order is already fixed, so that the next job may begin."""

    future: "asyncio.Future[Any]"
    finish: Callable[[], None]  # called when the future is done, however


Job = Callable[[], Coroutine[Any, Any, Second | None]]

_NONE: set[asyncio.Future[Any]] = set()  # never added to: what a mailbox has that has none


class Mailbox:
    """Runs jobs one after the other: at once if none waits, and in a task only if it has to wait.

    A job may return a second part, which runs beside the jobs that follow if those overlap too:
    a client that sends ten messages at once waits for one commit, not for ten. A job that does
    not overlap starts when every earlier one is through, so it sees what they did.
    """

    __slots__ = ("_overlapping", "_space", "_waiting", "_worker", "_works")

    def __init__(self) -> None:
        # Made when there is something in them: most sockets say nothing most of the time.
        self._waiting: deque[tuple[Job, bool]] | None = None
        self._overlapping: set[asyncio.Future[Any]] = _NONE
        self._worker: asyncio.Task[None] | None = None
        self._works = False
        self._space: asyncio.Future[None] | None = None

    def put(self, job: Job, *, overlaps: bool) -> None:
        """Take one more job; whoever puts looks at `full` and stops."""
        if self._waiting is None:
            self._waiting = deque()
        self._waiting.append((job, overlaps))
        if not self._works:
            self._works = True
            self._worker = start(self._work())

    @property
    def full(self) -> bool:
        """Whether no more should be put for now."""
        return self._waiting is not None and len(self._waiting) >= LIMIT

    def space(self) -> "asyncio.Future[None]":
        """Return what is done when the mailbox is not full any more."""
        if self._space is None:
            self._space = asyncio.get_running_loop().create_future()
            if not self.full:
                self._space.set_result(None)
        return self._space

    async def idle(self) -> None:
        """Wait until everything that was put is through."""
        while self._works or self._overlapping:
            running: set[asyncio.Future[Any]] = set(self._overlapping)
            if self._worker is not None:
                running.add(self._worker)
            await asyncio.wait(running)

    async def _work(self) -> None:
        try:
            while self._waiting:
                job, overlaps = self._waiting.popleft()
                if self._space is not None and not self.full:
                    self._space.set_result(None)
                    self._space = None
                # A flood that overlaps is bounded like one that does not.
                beside = self._overlapping
                if beside and (not overlaps or len(beside) >= LIMIT):
                    await asyncio.wait(beside)
                try:
                    second = await job()
                except Exception:
                    # The door answers everything it can foresee; the next event goes on.
                    logger.exception("an event was not answered")
                    continue
                if second is not None:
                    self._overlap(second)
        finally:
            self._waiting = None
            self._works = False
            self._worker = None

    def _overlap(self, second: Second) -> None:
        if not self._overlapping:
            self._overlapping = set()
        self._overlapping.add(second.future)
        second.future.add_done_callback(partial(self._finish, second))

    def _finish(self, second: Second, future: "asyncio.Future[Any]") -> None:
        self._overlapping.discard(future)
        try:
            second.finish()
        except Exception:
            logger.exception("an event was not answered")
