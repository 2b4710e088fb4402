"""PyMongo's errors in the words of `storage.errors`."""

from collections.abc import Generator
from contextlib import contextmanager

from bson.errors import BSONError
from pymongo.errors import (
    BulkWriteError,
    ConnectionFailure,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
    WriteConcernError,
)

from parley.storage.errors import OutcomeUnknown, StorageError, StorageUnavailable

DriverError = PyMongoError | BSONError  # the second: what cannot be written as a document
_DRIVER = (PyMongoError, BSONError)

DUPLICATE_KEY = 11_000

# What a server says that stops, steps down, or ran out of time: it may work elsewhere or later.
_PASSING = frozenset(
    {6, 7, 24, 43, 50, 64, 89, 91, 112, 134, 189, 202, 237, 239, 246, 251, 262, 290, 9001}
    | {10_058, 10_107, 11_600, 11_601, 11_602, 13_435, 13_436}
)
_COMMIT_UNKNOWN = "UnknownTransactionCommitResult"


@contextmanager
def translated_reads() -> Generator[None]:
    """Turn a driver error raised inside into a `StorageError`; nothing was written."""
    try:
        yield
    except _DRIVER as error:
        raise _unwritten(error) from _shown(error)


@contextmanager
def translated_transaction() -> Generator[None]:
    """Turn a driver error raised inside into a `StorageError`: all or nothing was written."""
    try:
        yield
    except _DRIVER as error:
        labelled = isinstance(error, PyMongoError) and error.has_error_label(_COMMIT_UNKNOWN)
        if labelled or _is_undecided(error) or is_duplicate(error):
            # A duplicate here was written by somebody else after our first look: look again.
            raise OutcomeUnknown(_sentence(error)) from _shown(error)
        raise _unwritten(error) from _shown(error)


@contextmanager
def translated_write() -> Generator[None]:
    """Turn a driver error raised inside into a `StorageError`: it may have been written."""
    try:
        yield
    except _DRIVER as error:
        if _is_undecided(error):
            raise OutcomeUnknown(_sentence(error)) from None
        # No server was found, so none was asked: the driver says so only of a first try.
        if isinstance(error, ServerSelectionTimeoutError) or not is_passing(error):
            raise _unwritten(error) from _shown(error)
        raise OutcomeUnknown(_sentence(error)) from _shown(error)


def _is_undecided(error: DriverError) -> bool:
    """Whether something was written, and may be taken back."""
    if isinstance(error, BulkWriteError):
        return bool(error.details.get("writeConcernErrors"))
    return isinstance(error, WriteConcernError)


def is_passing(error: DriverError) -> bool:
    """Whether the same call may work later."""
    if isinstance(error, ConnectionFailure) or (isinstance(error, PyMongoError) and error.timeout):
        return True
    if isinstance(error, BulkWriteError):
        failures = error.details.get("writeErrors") or []
        return any(is_passing_code(failure["code"]) for failure in failures)
    if isinstance(error, OperationFailure):
        return error.code is not None and is_passing_code(error.code)
    return False


def is_passing_code(code: int) -> bool:
    """Whether a server gives this code for what has nothing to do with the call."""
    return code in _PASSING


def is_duplicate(error: DriverError) -> bool:
    """Whether a unique index refused a document."""
    if isinstance(error, BulkWriteError):
        return any(f["code"] == DUPLICATE_KEY for f in error.details.get("writeErrors") or [])
    return isinstance(error, OperationFailure) and error.code == DUPLICATE_KEY


def _unwritten(error: DriverError) -> StorageError:
    kind = StorageUnavailable if is_passing(error) else StorageError
    return kind(_sentence(error))


def _shown(error: DriverError) -> DriverError | None:
    """Return what may stand in a traceback: not what might hold a document, see `_sentence`."""
    return error if isinstance(error, ConnectionFailure) else None


def _sentence(error: DriverError) -> str:
    # The server's own words may hold a whole document, and what people wrote does not belong
    # into a log.
    if isinstance(error, OperationFailure):
        details = error.details or {}
        return f"MongoDB: {details.get('codeName', type(error).__name__)}, code {error.code}"
    if isinstance(error, ConnectionFailure):
        return f"MongoDB: {shortened(error)}"
    return f"MongoDB: {type(error).__name__}"


def shortened(error: ConnectionFailure) -> str:
    """Return which server it was and why, without all that the driver knows of the others."""
    return str(error).partition(", Topology Description")[0].partition(", full error")[0]
