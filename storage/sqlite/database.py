"""The embedded database: one file in one folder, owned by one process."""

import asyncio
import os
import sqlite3
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Self, TypeVar

from parley.storage.sqlite.connection import WritingConnection, open_reading, open_writing
from parley.storage.sqlite.errors import translated_errors
from parley.storage.sqlite.lock import FolderLock
from parley.storage.sqlite.reader import Readers
from parley.storage.sqlite.schema import migrate
from parley.storage.sqlite.writer import Work, Writer

A = TypeVar("A")
R = TypeVar("R")

FILE = "parley.sqlite3"


class Database:
    """A writing connection with its own thread, some reading ones, and the folder's lock."""

    def __init__(self, writer: Writer, readers: Readers) -> None:
        """Use `open`."""
        self._writer = writer
        self._readers = readers

    @classmethod
    @asynccontextmanager
    async def open(cls, folder: Path, *, readers: int = 2) -> AsyncGenerator[Self, None]:
        """Own ``folder`` and its database, both made where they are missing, until the end.

        At the end everything that was queued is stored first.

        Raises:
            DataFolderInUse: Another process has it open.
            StorageError: The file was written by a newer release.
        """
        lock = await asyncio.to_thread(FolderLock, folder)
        try:
            with translated_errors():
                writing, reading = await asyncio.to_thread(_connect, folder / FILE, readers)
            database = cls(Writer(writing), Readers(reading))
            try:
                yield database
            finally:
                await database._close()
        finally:
            lock.release()

    async def write(self, job: Callable[[WritingConnection], R]) -> R:
        """Return ``job`` of the writing connection once what it wrote is on disk."""
        return await self._writer.run(_each, job)

    async def write_together(self, work: Work[A, R], argument: A) -> R:
        """Return what ``work`` has for ``argument``, done with others that wait; see `Work`."""
        return await self._writer.run(work, argument)

    async def read(self, query: Callable[[sqlite3.Connection], R]) -> R:
        """Return ``query`` of one consistent view, which has all that was acknowledged so far."""
        return await self._readers.run(query)

    async def store_id(self) -> str:
        """Return what this database is known by, made once."""

        def query(connection: sqlite3.Connection) -> str:
            return str(connection.execute("SELECT id FROM store").fetchone()[0])

        return await self.read(query)

    async def _close(self) -> None:
        # The writer last: the last connection to close folds the WAL into the file.
        try:
            await self._readers.close()
        finally:
            await self._writer.close()


def _each(
    connection: WritingConnection, jobs: Sequence[Callable[[WritingConnection], R]]
) -> Sequence[R | Exception]:
    return [job(connection) for job in jobs]


def _connect(file: Path, readers: int) -> tuple[WritingConnection, list[sqlite3.Connection]]:
    # Made here so that only its owner can read it; SQLite gives the WAL the same rights.
    os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
    writing = open_writing(file)
    try:
        migrate(writing)
        return writing, [open_reading(file) for _ in range(readers)]
    except BaseException:
        writing.close()
        raise
