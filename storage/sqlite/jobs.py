"""Work for a thread that has a connection: handed over without waiting, taken many at a time.

A hand-over costs more than most queries (two threads have to wake up, and the GIL changes hands),
so a thread takes all that waits, and reports all of it at once.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any

from parley.storage.errors import StorageUnavailable

logger = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class Job:
    """A call that somebody waits for."""

    work: Callable[..., Any]
    argument: Any
    future: "asyncio.Future[Any]"
    result: Any = None  # an Exception: the job failed


class Jobs:
    """What waits for one thread, or for several that do the same."""

    def __init__(self) -> None:
        """Report to the running event loop."""
        self._loop = asyncio.get_running_loop()
        self._waiting: SimpleQueue[Job | None] = SimpleQueue()
        self._closed = False

    def put(self, work: Callable[..., Any], argument: Any = None) -> "asyncio.Future[Any]":
        """Hand one over; the future is done when it is reported.

        Raises:
            StorageUnavailable: After `close`.
        """
        if self._closed:
            raise StorageUnavailable("the database is closed")
        job = Job(work, argument, self._loop.create_future())
        self._waiting.put(job)
        return job.future

    def close(self) -> None:
        """Take no more; each thread comes to its end when what waits is done."""
        self._closed = True
        self._waiting.put(None)

    # Called by the threads

    def take(self, most: int) -> tuple[list[Job], bool]:
        """Wait for a job, then take what waits behind it; True at the end of all jobs."""
        jobs: list[Job] = []
        try:
            job = self._waiting.get()
            while job is not None:
                jobs.append(job)
                if len(jobs) == most:
                    return jobs, False
                job = self._waiting.get_nowait()
        except Empty:
            return jobs, False
        self._waiting.put(None)  # for the other threads
        return jobs, True

    def report(self, jobs: Sequence[Job]) -> None:
        """Tell those who wait how their jobs ended."""
        try:
            self._loop.call_soon_threadsafe(_settle, jobs)
        except RuntimeError:
            logger.warning("the event loop is closed, %d results have no taker", len(jobs))


def _settle(jobs: Sequence[Job]) -> None:
    """Tell every caller that still waits how its job ended."""
    for job in jobs:
        if job.future.done():
            continue
        if isinstance(job.result, Exception):
            job.future.set_exception(job.result)
        else:
            job.future.set_result(job.result)
