"""The data folder of a server that runs, seen by somebody else who has its file open."""

import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Self

from parley.storage.sqlite.database import FILE


class Disk:
    """Tells whether anything was written."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @classmethod
    @contextmanager
    def watched(cls, data_dir: Path) -> Generator[Self]:
        """Watch a data folder that a server has opened."""
        connection = sqlite3.connect(f"file:{data_dir / FILE}?mode=ro", uri=True)
        with closing(connection):
            yield cls(connection)

    @property
    def version(self) -> int:
        """Return a number that changes with every transaction that changed anything."""
        version: int = self._connection.execute("PRAGMA data_version").fetchone()[0]
        return version
