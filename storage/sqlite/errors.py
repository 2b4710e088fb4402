"""SQLite's errors in the words of `storage.errors`."""

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager

from parley.storage.errors import OutcomeUnknown, StorageError, StorageUnavailable


@contextmanager
def translated_errors() -> Generator[None, None, None]:
    """Turn a driver error raised inside into a `StorageError`."""
    try:
        yield
    except sqlite3.Error as error:
        raise translated(error) from error


def translated(error: Exception) -> Exception:
    """Return what callers may see of ``error``; what is not of the driver stays as it is."""
    if isinstance(error, sqlite3.OperationalError):
        return StorageUnavailable(f"SQLite: {error}")
    if isinstance(error, sqlite3.Error):
        # Broken constraints, damage, misuse: the same call would fail again.
        return StorageError(f"SQLite: {error}")
    return error


def commit_failed(error: sqlite3.Error) -> StorageUnavailable:
    """Return what a failed COMMIT means for the jobs in it."""
    # Missing on what the sqlite3 module itself found wrong.
    code: int = getattr(error, "sqlite_errorcode", 0)
    if code & 0xFF == sqlite3.SQLITE_IOERR:
        # The frames may be in the file although the sync failed. This process will write over
        # them, but if it dies before that, recovery takes them for a commit.
        return OutcomeUnknown(f"SQLite: {error}")
    return StorageUnavailable(f"SQLite: {error}")
