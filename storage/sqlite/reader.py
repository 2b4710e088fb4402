"""Connections that only read, each on a thread of its own.

Queries that wait together share a read transaction. With one for each, and a hand-over to a thread
for each, a client that came back cost the server 0.6 ms for its queries alone.
"""

import asyncio
import logging
import sqlite3
import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

from parley.storage.sqlite.errors import translated
from parley.storage.sqlite.jobs import Job, Jobs

logger = logging.getLogger(__name__)

T = TypeVar("T")

MAX_QUERIES = 16  # in one transaction: bounds how long a short one waits for long ones


class Readers:
    """A small pool of reading connections."""

    def __init__(self, connections: Sequence[sqlite3.Connection]) -> None:
        """Own ``connections``, which must not be bound to the thread they were made on."""
        self._connections = connections
        self._jobs = Jobs()
        self._threads = [
            threading.Thread(
                target=self._run, args=(connection,), name=f"sqlite-reader-{number}", daemon=True
            )
            for number, connection in enumerate(connections)
        ]
        for thread in self._threads:
            thread.start()

    async def run(self, query: Callable[[sqlite3.Connection], T]) -> T:
        """Return ``query`` of one consistent view, which has all that was acknowledged so far."""
        result: T = await self._jobs.put(query)
        return result

    async def close(self) -> None:
        """Finish what waits, then end the threads and close the connections."""
        self._jobs.close()
        for thread in self._threads:
            await asyncio.to_thread(thread.join)
        for connection in self._connections:
            connection.close()

    def _run(self, connection: sqlite3.Connection) -> None:
        last = False
        while not last:
            jobs, last = self._jobs.take(MAX_QUERIES)
            if jobs:
                _read(connection, jobs)
                self._jobs.report(jobs)


def _read(connection: sqlite3.Connection, jobs: Sequence[Job]) -> None:
    """Answer each of ``jobs``; one that fails is no trouble of the others."""
    try:
        _end(connection)  # of a transaction that could not be ended the last time
        connection.execute("BEGIN")
    except sqlite3.Error as error:
        for job in jobs:
            job.result = translated(error)
        return
    # The view is that of the first query, and none is older than it: all wait already.
    for job in jobs:
        if job.future.cancelled():
            continue  # its client has left
        try:
            job.result = job.work(connection)
        except Exception as error:
            job.result = translated(error)
    try:
        _end(connection)
    except sqlite3.Error:
        logger.exception("could not end a read transaction")


def _end(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:
        connection.execute("ROLLBACK")
