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


Job = Callable[..., Coroutine[Any, Any, Second | None]]

_NONE: set[asyncio.Future[Any]] = set()  # never added to: what a mailbox has that has none


class Mailbox:
    """Runs jobs one after the other: at once if none waits, and in a task only if it has to wait.

    A job may return a second part, which runs beside the jobs that follow if those overlap too:
    a client that sends ten messages at once waits for one commit, not for ten. A job that does
    not overlap starts when every earlier one is through, so it sees what they did.
    """

    __slots__ = ("_overlapping", "_space", "_task", "_waiting", "_works")

    def __init__(self) -> None:
        # Made when there is something in them: most sockets say nothing most of the time.
        self._waiting: deque[tuple[Job, tuple[Any, ...], bool]] | None = None
        self._overlapping: set[asyncio.Future[Any]] = _NONE
        self._works = False  # a job has begun, and its first part is not through
        self._task: asyncio.Task[Second | None] | None = None  # its own, where it had to wait
        self._space: asyncio.Future[None] | None = None

    def put(self, job: Job, *arguments: Any, overlaps: bool) -> None:
        """Take one more job, to be called with ``arguments``.

        Whoever puts looks at `full` and stops.
        """
        if self._works or self._waiting or not self._may_begin(overlaps):
            if self._waiting is None:
                self._waiting = deque()
            self._waiting.append((job, arguments, overlaps))
            return
        self._begin(job, arguments)
        if self._waiting:
            self._go_on()

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
            if self._task is not None:
                running.add(self._task)
            await asyncio.wait(running)

    def _may_begin(self, overlaps: bool) -> bool:
        # A flood that overlaps is bounded like one that does not.
        beside = self._overlapping
        return not beside or (overlaps and len(beside) < LIMIT)

    def _begin(self, job: Job, arguments: tuple[Any, ...]) -> None:
        self._works = True
        try:
            task, second = start(job(*arguments))
        except Exception:
            # The door answers everything it can foresee; the next event goes on.
            logger.exception("an event was not answered")
            task = second = None
        if task is not None:
            self._task = task
            task.add_done_callback(self._first_is_through)
            return
        self._works = False
        if second is not None:
            self._overlap(second)

    def _first_is_through(self, task: "asyncio.Task[Second | None]") -> None:
        self._works, self._task = False, None
        if task.cancelled():
            self._waiting = None  # the loop is ending; what began now would never end
            return
        try:
            second = task.result()
        except Exception:
            logger.exception("an event was not answered")
        else:
            if second is not None:
                self._overlap(second)
        self._go_on()

    def _overlap(self, second: Second) -> None:
        if not self._overlapping:
            self._overlapping = set()
        self._overlapping.add(second.future)
        second.future.add_done_callback(partial(self._second_is_through, second))

    def _second_is_through(self, second: Second, future: "asyncio.Future[Any]") -> None:
        self._overlapping.discard(future)
        try:
            second.finish()
        except Exception:
            logger.exception("an event was not answered")
        self._go_on()

    def _go_on(self) -> None:
        """Begin what waits, up to a job that has to wait itself or may not begin yet.

        Called when anything is through; the jobs that are left are begun by the next call.
        """
        while self._waiting and not self._works and self._may_begin(self._waiting[0][-1]):
            job, arguments, _ = self._waiting.popleft()
            if self._space is not None and not self.full:
                self._space.set_result(None)
                self._space = None
            self._begin(job, arguments)
        if not self._waiting:
            self._waiting = None
