"""The one thread that writes: what waits goes into one transaction, one sync to disk.

A commit costs the same for one job as for a hundred, so under load the jobs that arrive while
one transaction is on its way to disk share the next.
"""

import asyncio
import logging
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Any, TypeVar

from parley.storage.sqlite.connection import WritingConnection
from parley.storage.sqlite.errors import commit_failed, translated
from parley.storage.sqlite.jobs import Job, Jobs

logger = logging.getLogger(__name__)

A = TypeVar("A")
R = TypeVar("R")

Work = Callable[[WritingConnection, Sequence[A]], Sequence[R | Exception]]
"""Does the same job for several arguments and returns a result for each, in order.

What is wrong with one argument alone is *returned*, before anything is written for it. Raising
undoes the whole transaction and makes every job in it run again by itself.
"""

MAX_JOBS = 512  # in one transaction: bounds how long the first one waits for the last


class Writer:
    """Runs jobs on the writing connection, in the order they came, in group commits."""

    def __init__(self, connection: WritingConnection) -> None:
        """Own ``connection`` and start the thread; results go to the running event loop."""
        self._connection = connection
        self._jobs = Jobs()
        self._thread = threading.Thread(target=self._run, name="sqlite-writer", daemon=True)
        self._thread.start()

    async def run(self, work: Work[A, R], argument: A) -> R:
        """Return what ``work`` has for ``argument`` once it is on disk.

        Jobs with the same ``work`` that wait together are one call of it. Cancelling the caller
        does not undo the job.
        """
        result: R = await self._jobs.put(work, argument)
        return result

    async def close(self) -> None:
        """Finish what is queued, then end the thread and close the connection."""
        self._jobs.close()
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        last = False
        while not last:
            jobs, last = self._jobs.take(MAX_JOBS)
            if jobs:
                self._store(jobs)
                self._jobs.report(jobs)
        self._connection.close()

    def _store(self, jobs: Sequence[Job]) -> None:
        """Do ``jobs`` in one transaction; if one raises, each in its own."""
        try:
            self._transact(jobs)
        except Exception as error:
            if len(jobs) > 1:
                for job in jobs:
                    self._store([job])
            else:
                jobs[0].result = translated(error)

    def _transact(self, jobs: Sequence[Job]) -> None:
        try:
            self._connection.begin()
        except sqlite3.Error as error:
            self._roll_back()
            for job in jobs:
                job.result = translated(error)
            return
        try:
            for work, group in _by_work(jobs):
                results = work(self._connection, [job.argument for job in group])
                for job, result in zip(group, results, strict=True):
                    job.result = result
        except BaseException:
            self._roll_back()
            raise
        try:
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            self._roll_back()
            for job in jobs:
                job.result = commit_failed(error)

    def _roll_back(self) -> None:
        try:
            self._connection.roll_back()
        except sqlite3.Error:
            logger.exception("could not roll back")


def _by_work(jobs: Sequence[Job]) -> Iterator[tuple[Work[Any, Any], Sequence[Job]]]:
    # Neighbours only: a caller's jobs are done in the order they were given.
    for work, group in groupby(jobs, key=lambda job: job.work):
        yield work, list(group)
