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

Database = AsyncDatabase[dict[str, Any]]

BUILD_S = 600  # for the indexes of a large database

_THERE = {"$exists": True}

# The key of a position, and that of a request: `append` tells them apart by these names.
POSITION = ("room_id", "rev")
REQUEST = ("room_id", "from", "client_id")


def _index(*keys: str, unique: bool = False, where: Mapping[str, Any] | None = None) -> IndexModel:
    options: dict[str, Any] = {"unique": True} if unique else {}
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
    ],
    "users": [],
    "membership_revisions": [],
}


async def _make_first(database: Database) -> None:
    for name, indexes in _FIRST.items():
        if indexes:
            await database[name].create_indexes(indexes)


MIGRATIONS: Sequence[Callable[[Database], Awaitable[None]]] = (_make_first,)


async def migrate(database: Database) -> None:
    """Bring the database to the newest version.

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
