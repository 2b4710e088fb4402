"""The indexes, and how a database of an older release becomes one of today.

Any number of nodes may start at once: making an index that is there does nothing, and the
version is raised only by who has done every step up to it. An entry that was released is never
edited; a change is a new entry.
"""

import contextlib
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import pymongo
from pymongo import IndexModel
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError

from parley.storage.errors import StorageError
from parley.storage.models import SPOKEN, RowKind
from parley.storage.mongo.inbox_documents import ENDINGS

Database = AsyncDatabase[dict[str, Any]]

BUILD_S = 600  # for the indexes of a large database

_THERE = {"$exists": True}

# The key of a position, and that of a request: `append` tells them apart by these names.
POSITION = ("room_id", "rev")
# (client_id before the sender: a batch of many senders is looked up in one step for each.)
REQUEST = ("room_id", "client_id", "from")
# Of inboxes: `adding` tells a position from everything else.
INBOX_POSITION = ("user_id", "rev")

INBOX_EPOCH = "inbox"  # what in ``schema`` has the epoch of all inboxes

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

_KEPT = {"kept": True}
_INBOX: Mapping[str, Sequence[IndexModel]] = {
    "inbox": [
        _index(*INBOX_POSITION, unique=True),
        # By client_id first, to find all notifications about one message.
        _index("client_id", "user_id", unique=True, where={"client_id": {"$type": "string"}}),
        _index("user_id", "kept", "rev", where=_KEPT),
        _index("user_id", "unread", "rev", where={"unread": True}),
        _index("user_id", "collapse_key", where={"collapse_key": _THERE}),
        _index("expires_at", where=_KEPT | {"expires_at": _THERE}),
        _index("kept", "created_at", where=_KEPT),
        # What is to be removed for good, and the rows that go with it.
        _index("kind", "created_at", where={"kind": {"$in": ENDINGS}}),
        _index("notification_id", where={"notification_id": _THERE}),
        # Pushes that wait: when anybody may take one, and who has taken which.
        _index("push.free_at", where={"push.free_at": _THERE}),
        _index("push.holder", "push.due_at", where={"push.holder": _THERE}),
    ],
    "muted_rooms": [_index("user_id", "room_id")],
    "checkpoints": [_index("name")],
    "publications": [
        _index("publisher", "client_id", unique=True),
        _index("unfinished", where={"unfinished": True}),
        _index("created_at"),
    ],
}


async def _make(database: Database, indexes: Mapping[str, Sequence[IndexModel]]) -> None:
    for name, models in indexes.items():
        await database[name].create_indexes(models)


async def _make_first(database: Database) -> None:
    await _make(database, _FIRST)


async def _make_inbox(database: Database) -> None:
    await _make(database, _INBOX)


MIGRATIONS: Sequence[Callable[[Database], Awaitable[None]]] = (_make_first, _make_inbox)
_NEWEST = {**_FIRST, **_INBOX}  # the indexes of the newest version


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
        await _name_epoch(schema)


async def _name_epoch(schema: AsyncCollection[dict[str, Any]]) -> None:
    """Give all inboxes one epoch: they are started anew together or not at all."""
    named = {"$setOnInsert": {"epoch": secrets.token_hex(4)}}
    # Of several nodes that start at once one is refused its insert, and has nothing to do.
    with contextlib.suppress(DuplicateKeyError):
        await schema.update_one({"_id": INBOX_EPOCH}, named, upsert=True)
