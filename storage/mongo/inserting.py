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
    details: Mapping[str, Any] | None = None
    with translated_write():
        try:
            # Not insert_one: it hides a write concern error behind DuplicateKeyError.
            await collection.insert_many(rows, ordered=ordered)
        except BulkWriteError as error:
            details = error.details
    # Outside of the except: what the driver says has the row in it, and its traceback too.
    return {} if details is None else _clashes_in(details, len(rows), ordered=ordered)


def _clashes_in(details: Mapping[str, Any], count: int, *, ordered: bool) -> Mapping[int, Key]:
    """Read what an insert says of its end."""
    if details.get("writeConcernErrors"):
        # The rows may be taken back, and so may the one that was in the way.
        raise OutcomeUnknown("MongoDB: no majority has the rows yet")
    failures: Sequence[Mapping[str, Any]] = details["writeErrors"]
    for failure in failures:
        if failure["code"] != DUPLICATE_KEY:
            sentence = f"MongoDB refused a row, code {failure['code']}"
            some_are_stored = failure["index"] > 0 if ordered else len(failures) < count
            if is_passing_code(failure["code"]) or some_are_stored:
                raise OutcomeUnknown(sentence)
            raise StorageError(sentence)
    return {failure["index"]: tuple(failure["keyPattern"]) for failure in failures}
