"""One process owns a data folder: an advisory lock that dies with its process."""

import os
import sys
from pathlib import Path

from parley.storage.errors import DataFolderInUse, StorageUnavailable

if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


class FolderLock:
    """An exclusive lock on a folder, held from construction to `release`.

    The kernel drops it when the process ends, however it ends: unlike a pid file it never
    blocks the start after a ``kill -9``.
    """

    def __init__(self, folder: Path) -> None:
        """Take the lock, creating ``folder`` (for its owner only) where it is missing.

        Raises:
            DataFolderInUse: Another process holds it.
            StorageUnavailable: The folder cannot be made or written to.
        """
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise StorageUnavailable(f"cannot use the data folder {folder}: {error}") from error
        try:
            _lock(self._descriptor)
        except OSError as error:
            os.close(self._descriptor)
            raise DataFolderInUse(
                f"another process is using the data folder {folder.absolute()}"
            ) from error

    def release(self) -> None:
        """Let the next process have the folder."""
        # The file stays: removing it would let two processes lock two files of that name.
        os.close(self._descriptor)
