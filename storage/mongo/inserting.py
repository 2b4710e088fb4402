"""Inserting rows where a unique index decides who was first."""

from collections.abc import Mapping, Sequence
from typing import Any

from pymongo.errors import BulkWriteError

from parley.storage.errors import OutcomeUnknown, StorageError
from parley.storage.mongo.database import Collection, Document
from parley.storage.mongo.errors import DUPLICATE_KEY, is_passing_code, translated_write

Key = tuple[str, ...]


async def insert(
    collection: Collection, rows: Sequence[Document], *, ordered: bool
) -> Mapping[int, Key]:
    """Insert rows; return which were in the way of one that is there, and by what key.

    The others are stored; of ordered ones only those before the first that was in the way.

    Raises:
        StorageError: Nothing was stored.
        OutcomeUnknown: Some may be stored.
    """
    details = await _inserted(collection, rows, ordered=ordered)
    return _clashes_in(details, len(rows), ordered=ordered)


async def insert_each(
    collection: Collection, rows: Sequence[Document]
) -> Sequence[Key | StorageError]:
    """Insert rows that do not depend on one another; return the outcome of each.

    That is the key that another row has in common with it, `()` for none, and for a row that was
    refused its error; the others are stored.

    Raises:
        StorageError: Nothing was stored.
        OutcomeUnknown: Some may be stored.
    """
    details = await _inserted(collection, rows, ordered=False)
    outcomes: list[Key | StorageError] = [() for _ in rows]
    for failure in details.get("writeErrors", ()):
        outcomes[failure["index"]] = _outcome_of(failure)
    return outcomes


async def _inserted(
    collection: Collection, rows: Sequence[Document], *, ordered: bool
) -> Mapping[str, Any]:
    """Insert rows; return what the driver says of its end, nothing where all are stored."""
    details: Mapping[str, Any] = {}
    with translated_write():
        try:
            # Not insert_one: it hides a write concern error behind DuplicateKeyError.
            await collection.insert_many(rows, ordered=ordered)
        except BulkWriteError as error:
            details = error.details
    # Outside of the except: what the driver says has the row in it, and its traceback too.
    if details.get("writeConcernErrors"):
        # The rows may be taken back, and so may the one that was in the way.
        raise OutcomeUnknown("MongoDB: no majority has the rows yet")
    return details


def _outcome_of(failure: Mapping[str, Any]) -> Key | StorageError:
    if failure["code"] == DUPLICATE_KEY:
        return tuple(failure["keyPattern"])
    kind = OutcomeUnknown if is_passing_code(failure["code"]) else StorageError
    return kind(_refused(failure))


def _clashes_in(details: Mapping[str, Any], count: int, *, ordered: bool) -> Mapping[int, Key]:
    """Read what an insert says of its end."""
    failures: Sequence[Mapping[str, Any]] = details.get("writeErrors", ())
    for failure in failures:
        if failure["code"] != DUPLICATE_KEY:
            some_are_stored = failure["index"] > 0 if ordered else len(failures) < count
            if is_passing_code(failure["code"]) or some_are_stored:
                raise OutcomeUnknown(_refused(failure))
            raise StorageError(_refused(failure))
    return {failure["index"]: tuple(failure["keyPattern"]) for failure in failures}


def _refused(failure: Mapping[str, Any]) -> str:
    return f"MongoDB refused a row, code {failure['code']}"
