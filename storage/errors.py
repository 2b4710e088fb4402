"""What can go wrong in storage, whatever the driver.

StorageError
├── StorageUnavailable     nothing was stored, or a read failed; the same call may work later
│   └── OutcomeUnknown     a write may or may not have happened
├── PositionTaken          somebody else appended first: read what is new, then try again
├── EpochChanged           the log was emptied or restored: every cursor into it is void
├── NotStored              what a call refers to does not exist
├── RedisInUse             Redis is that of nodes with another store or key
└── DataFolderInUse        another process holds the data folder

Driver errors never leave the storage package.
"""


class StorageError(Exception):
    """Base class of everything the storage package raises on purpose."""


class StorageUnavailable(StorageError):
    """Nothing was stored, or nothing could be read; the same call may work later."""


class OutcomeUnknown(StorageUnavailable):
    """The write may or may not have happened; writing the same rows again is safe."""


class PositionTaken(StorageError):
    """The log's head is not where the caller believed; nothing of the batch was stored."""

    def __init__(self, room_id: str, after: int, head: int) -> None:
        super().__init__(f"{room_id}: position {after + 1} is taken, the head is {head}")
        self.head = head


class EpochChanged(StorageError):
    """The room's log was started anew, so positions of the old one mean nothing."""


class NotStored(StorageError):
    """The room or message does not exist."""


class DataFolderInUse(StorageError):
    """Another process has the data folder open; one process owns it at a time."""


class RedisInUse(StorageError):
    """Other nodes live in this Redis, and this one has another store or key, or may not be two."""
