"""Connections to the file: the one that writes, and those that only read."""

import sqlite3
from pathlib import Path
from typing import Any

from parley.storage.models import Head, RoomId

BUSY_TIMEOUT = 5.0  # seconds to wait for a stranger, such as an operator's sqlite3 shell
WRITER_CACHE = 64  # MiB: client_ids are random, so their index is touched all over
READER_CACHE = 8  # MiB
CHECKPOINT_PAGES = 2_000  # of 4 KiB; more: less copying, but the commit that copies waits longer
MAX_HEADS = 10_000

# Of a deleted room rows may be left for a while (`emptying`), but its log is empty.
_HEAD = (
    "SELECT epoch, log_floor, iif(deleted, 0, "
    "(SELECT max(rev) FROM log WHERE log.room_id = rooms.room_id)) FROM rooms WHERE room_id = ?"
)


class WritingConnection(sqlite3.Connection):
    """The connection of the writer thread."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Take what `sqlite3.connect` gives."""
        super().__init__(*args, **kwargs)
        self._heads: dict[RoomId, Head] = {}
        self._version = 0  # of the file, as far as others change it

    def head(self, room_id: RoomId) -> Head | None:
        """Return where the log ends, None if there is no such room.

        Epoch and rev only: it is remembered, for to ask the file costs as much as to insert a
        row. What is remembered is what was committed, and what this transaction wrote: `begin`
        and `roll_back` forget the rest.
        """
        return self._heads.get(room_id) or self.head_in_file(room_id)

    def head_in_file(self, room_id: RoomId) -> Head | None:
        """Return what the file says, not what is remembered."""
        head = read_head(self, room_id)
        if head is not None:
            self.remember(room_id, head)
        return head

    def remember(self, room_id: RoomId, head: Head) -> None:
        """Note where the log ends after what this transaction wrote."""
        if len(self._heads) >= MAX_HEADS:
            self._heads.clear()
        self._heads[room_id] = head

    def begin(self) -> None:
        """Start a transaction that sees everything; the last one is undone if it still runs."""
        if self.in_transaction:
            self.roll_back()
        self.execute("BEGIN IMMEDIATE")
        # Nobody else writes, but an operator's shell may. A head that she took away and that is
        # still remembered would leave a hole behind it.
        (version,) = self.execute("PRAGMA data_version").fetchone()
        if version != self._version:
            self._heads.clear()
            self._version = version

    def roll_back(self) -> None:
        """Undo the transaction, if it has not ended by itself as some errors make it."""
        self._heads.clear()  # first: it may fail, and what was written is not there then either
        if self.in_transaction:
            self.execute("ROLLBACK")


def read_head(connection: sqlite3.Connection, room_id: RoomId) -> Head | None:
    """Return where a room's log ends, None if there is no such room."""
    found = connection.execute(_HEAD, (room_id,)).fetchone()
    if found is None:
        return None
    epoch, log_floor, rev = found
    return Head(epoch=epoch, rev=rev or 0, log_floor=log_floor)


def open_writing(file: Path) -> WritingConnection:
    """Return a connection whose commits have reached the disk when they return."""
    connection = sqlite3.connect(
        file,
        timeout=BUSY_TIMEOUT,
        isolation_level=None,  # BEGIN and COMMIT are ours
        check_same_thread=False,  # made here, used on its own thread
        cached_statements=256,
        factory=WritingConnection,
    )
    try:
        _tune(connection, cache=WRITER_CACHE)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
        # What is deleted or edited away is overwritten in the file, not only unlinked.
        connection.execute("PRAGMA secure_delete = ON")
    except BaseException:
        connection.close()
        raise
    return connection


def open_reading(file: Path) -> sqlite3.Connection:
    """Return a connection that refuses to write."""
    connection = sqlite3.connect(
        file, timeout=BUSY_TIMEOUT, isolation_level=None, check_same_thread=False
    )
    _tune(connection, cache=READER_CACHE)
    connection.execute("PRAGMA query_only = ON")
    return connection


def _tune(connection: sqlite3.Connection, *, cache: int) -> None:
    connection.execute(f"PRAGMA cache_size = -{cache * 1024}")
    connection.execute("PRAGMA temp_store = MEMORY")
