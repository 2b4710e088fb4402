"""Connections that only read, each call in one read transaction."""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import TypeVar

from parley.storage.errors import StorageUnavailable
from parley.storage.sqlite.errors import translated_errors

T = TypeVar("T")


class Readers:
    """A small pool of reading connections on threads of their own."""

    def __init__(self, connections: list[sqlite3.Connection]) -> None:
        """Own ``connections``, which must not be bound to the thread they were made on."""
        self._connections = connections
        self._idle: SimpleQueue[sqlite3.Connection] = SimpleQueue()
        for connection in connections:
            self._idle.put(connection)
        self._threads = ThreadPoolExecutor(len(connections), "sqlite-reader")
        self._closed = False

    async def run(self, query: Callable[[sqlite3.Connection], T]) -> T:
        """Return ``query`` of one consistent view, which has all that was acknowledged so far."""
        if self._closed:
            raise StorageUnavailable("the database is closed")
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._read, query)

    async def close(self) -> None:
        """Finish what runs and close the connections."""
        self._closed = True
        await asyncio.to_thread(self._threads.shutdown)
        for connection in self._connections:
            connection.close()

    def _read(self, query: Callable[[sqlite3.Connection], T]) -> T:
        # There are as many threads as connections, so one is always idle here.
        connection = self._idle.get()
        try:
            with translated_errors():
                connection.execute("BEGIN")
                try:
                    return query(connection)
                finally:
                    connection.execute("ROLLBACK")
        finally:
            self._idle.put(connection)
