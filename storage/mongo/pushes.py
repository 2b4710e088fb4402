"""The outbox of pushes in MongoDB: not a collection, but a part of the notifications that wait.

So a push is entered with its notification, without a transaction. A node that looks what is due
takes it for `HELD_MS`; until then other nodes pass it over, and after that the node that took it
counts as dead.
"""

from collections.abc import Collection, Sequence
from typing import Any

from parley.storage.models import Timestamp
from parley.storage.mongo.database import Document, MongoDatabase
from parley.storage.mongo.errors import translated_write
from parley.storage.mongo.inbox_documents import notification_from
from parley.storage.notifications import NotificationId, Push

# Longer than what is due at once takes where the receiver is as slow as it may be.
HELD_MS = 180_000

_WAITS = {"push.free_at": {"$exists": True}}


class MongoPushes:
    """See `PushOutbox`."""

    def __init__(self, database: MongoDatabase) -> None:
        """Keep pushes in ``database``."""
        self._database = database

    async def due(self, *, now: Timestamp, limit: int) -> Sequence[Push]:
        """See `PushOutbox`."""
        if not await self._database.write(self._take(now, limit)):
            return []
        taken = await self._database.read(self._held(now, limit))
        return [
            Push(notification=notification_from(row), tries=row["push"]["tries"]) for row in taken
        ]

    async def _take(self, now: Timestamp, limit: int) -> int:
        """Take what nobody has or somebody has had for too long, and hold on to what one has."""
        inbox = self._database.inbox
        free: Document = {"push.free_at": {"$lte": now}}
        with translated_write():
            mine = await self._held(now, limit)
            found = inbox.find(free, {"_id": 1}).sort("push.free_at", 1).limit(limit).to_list()
            ids = [row["_id"] for row in [*mine, *await found][:limit]]
            if ids:
                mine_or_free = [{"push.holder": self._database.holder}, free]
                asked: Document = {"_id": {"$in": ids}, "$or": mine_or_free}
                held = {"push.holder": self._database.holder, "push.free_at": now + HELD_MS}
                await inbox.update_many(asked, {"$set": held})
        return len(ids)

    async def _held(self, now: Timestamp, limit: int) -> list[Document]:
        """Return what this process has taken, if it is still due."""
        asked = {"push.holder": self._database.holder, "push.due_at": {"$lte": now}}
        return await self._database.inbox.find(asked).sort("push.due_at", 1).limit(limit).to_list()

    async def next_due(self) -> Timestamp | None:
        """See `PushOutbox`."""
        mine: Document = {"push.holder": self._database.holder}

        async def query() -> Timestamp | None:
            times = [
                row["push"][name]
                for name, asked in (("due_at", mine), ("free_at", _WAITS))
                if (row := await self._first(asked, name)) is not None
            ]
            return min(times, default=None)

        return await self._database.read(query())

    async def _first(self, asked: Document, name: str) -> Document | None:
        field = f"push.{name}"
        return await self._database.inbox.find_one(asked, {field: 1}, sort=[(field, 1)])

    async def postpone(self, notification_id: NotificationId, *, due_at: Timestamp) -> None:
        """See `PushOutbox`."""
        later = {
            "$set": {"push.due_at": due_at, "push.free_at": due_at},
            "$inc": {"push.tries": 1},
        }
        await self._database.write(self._update([notification_id], later))

    async def settle(self, notification_ids: Collection[NotificationId]) -> None:
        """See `PushOutbox`."""
        await self._database.write(self._update(notification_ids, {"$unset": {"push": ""}}))

    async def _update(self, ids: Collection[NotificationId], change: Document) -> None:
        asked: dict[str, Any] = {"_id": {"$in": list(ids)}, **_WAITS}
        with translated_write():
            await self._database.inbox.update_many(asked, change)

    async def size(self) -> int:
        """See `PushOutbox`."""
        return await self._database.read(self._database.inbox.count_documents(_WAITS))


async def waiting(database: MongoDatabase, *, limit: int) -> int:
    """Count the pushes that wait, up to ``limit``."""
    return await database.inbox.count_documents(_WAITS, limit=limit)
