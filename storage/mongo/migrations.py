"""The indexes, and how a database of an older release becomes one of today.

Any number of nodes may start at once: making an index that is there does nothing, and the
version is raised only by who has done every step up to it. An entry that was released is never
edited; a change is a new entry.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import pymongo
from pymongo import IndexModel
from pymongo.asynchronous.database import AsyncDatabase

from parley.storage.errors import StorageError
from parley.storage.models import SPOKEN, RowKind

Database = AsyncDatabase[dict[str, Any]]

BUILD_S = 600  # for the indexes of a large database

_THERE = {"$exists": True}

# The key of a position, and that of a request: `append` tells them apart by these names.
POSITION = ("room_id", "rev")
# (client_id before the sender: a batch of many senders is looked up in one step for each.)
REQUEST = ("room_id", "client_id", "from")

REVISIONS = [RowKind.DELETE.value, RowKind.EDIT.value]


def _index(
    *keys: str,
    unique: bool = False,
    where: Mapping[str, Any] | None = None,
    name: str | None = None,
) -> IndexModel:
    options: dict[str, Any] = {"unique": True} if unique else {}
    if name is not None:
        options["name"] = name
    if where is not None:
        options["partialFilterExpression"] = where
    return IndexModel([(key, 1) for key in keys], **options)


_FIRST: Mapping[str, Sequence[IndexModel]] = {
    "messages": [
        _index(*POSITION, unique=True),
        # The last row of a deleted room has no client_id.
        _index(*REQUEST, unique=True, where={"client_id": {"$type": "string"}}),
        _index("message_id", "kind", where={"message_id": _THERE}),  # rows that change a message
        _index("room_id", "mentions", "rev", where={"mentions": _THERE}),
        _index("room_id", "from", "_id", where={"spoken": True}),
        # What was said last, however many have come and gone since.
        _index(*POSITION, where={"type": {"$in": sorted(SPOKEN)}}, name="said_at_position"),
        # Edits and deletions of all rooms, by time.
        _index("created_at", "message_id", where={"kind": {"$in": REVISIONS}}),
        # For who looks into the database by hand:
        _index("room_id", "created_at"),
        _index("from", "created_at"),
        _index("to", "created_at", where={"to": _THERE}),
        _index("type", where={"type": _THERE}),
    ],
    "rooms": [
        _index("owner"),
        _index("type"),
        _index("name_key", "_id", where={"listed": True}),
        _index("to_sweep", where={"to_sweep": True}),
    ],
    "members": [
        _index("room_id", "user_id", unique=True),
        _index("user_id", "state", "room_id"),
        _index("room_id", "state", "user_id"),
    ],
    "users": [_index("last_seen", where={"last_seen": _THERE})],
}


async def _make(database: Database, indexes: Mapping[str, Sequence[IndexModel]]) -> None:
    for name, models in indexes.items():
        await database[name].create_indexes(models)


async def _make_first(database: Database) -> None:
    await _make(database, _FIRST)


MIGRATIONS: Sequence[Callable[[Database], Awaitable[None]]] = (_make_first,)
_NEWEST = _FIRST  # the indexes of the newest version


async def migrate(database: Database) -> None:
    """Bring the database to the newest version, with all of its indexes.

    Raises:
        StorageError: It was used by a newer release.
    """
    schema = database["schema"]
    found = await schema.find_one({"_id": "schema"})
    version: int = found["version"] if found is not None else 0
    if version > len(MIGRATIONS):
        raise StorageError(
            f"the database is of version {version}, this release knows {len(MIGRATIONS)}: "
            "it was used by a newer release of Parley; start that one"
        )
    for number, step in enumerate(MIGRATIONS[version:], version + 1):
        with pymongo.timeout(BUILD_S):
            await step(database)
            raised = {"$max": {"version": number}}
            await schema.update_one({"_id": "schema"}, raised, upsert=True)
    # Whatever the version says: a restore may have left them out, and without the unique ones
    # two nodes would write at one position.
    with pymongo.timeout(BUILD_S):
        await _make(database, _NEWEST)
