"""Deadlines of thousands of connections on one timer."""

import asyncio
from collections import deque
from collections.abc import Callable, Container

Expired = Callable[[str, float], None]
"""Is told whose deadline has come, and what `Deadlines.add` returned."""


class Deadlines:
    """Things that are due the same time after they were asked for, on the monotonic clock.

    The same time for all, so they come due in the order in which they were asked for: a queue and
    one timer serve any number. Nothing is cancelled; what is not wanted any more comes due all the
    same, and whoever asked compares the time with the one she wants. So a queue holds ids, not
    connections: one that is gone is not kept alive by its deadline.
    """

    def __init__(self, delay_s: float, expired: Expired) -> None:
        self.delay_s = delay_s
        self._expired = expired
        self._queue: deque[tuple[float, str]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def add(self, sid: str, *, late: float = 0.0) -> float:
        """Ask for one more and return when it is due.

        Args:
            late: Seconds ago that it should have been asked for.
        """
        loop = asyncio.get_running_loop()
        due = loop.time() + self.delay_s - late
        if self._queue:
            due = max(due, self._queue[-1][0])
        self._queue.append((due, sid))
        if self._timer is None:
            self._timer = loop.call_at(due, self._run)
        return due

    def keep(self, present: Container[str]) -> None:
        """Forget whom nobody knows any more, before she is due."""
        self._queue = deque(entry for entry in self._queue if entry[1] in present)

    def close(self) -> None:
        """Let nothing come due any more."""
        self._queue.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _run(self) -> None:
        loop = asyncio.get_running_loop()
        now, queue = loop.time(), self._queue
        # What comes due may ask for the next; the timer is set below, for the first in the queue.
        while queue and queue[0][0] <= now:
            due, sid = queue.popleft()
            self._expired(sid, due)
        self._timer = loop.call_at(queue[0][0], self._run) if queue else None
