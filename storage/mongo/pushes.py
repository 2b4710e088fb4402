"""The outbox of pushes in MongoDB: not a collection, but a part of the notifications that wait.

So a push is entered with its notification, without a transaction. A node that looks what is due
takes it for `HELD_MS`; until then other nodes pass it over, and after that the node that took it
counts as dead.
"""

import asyncio
import math
from collections.abc import Collection, Sequence
from typing import Any

from parley.storage.models import Timestamp
from parley.storage.mongo.database import Document, MongoDatabase
from parley.storage.mongo.errors import translated_write
from parley.storage.mongo.inbox_documents import notification_from
from parley.storage.notifications import NotificationId, Push

# Longer than what is due at once takes where the receiver is as slow as it may be.
HELD_MS = 180_000

COUNT_HOLDS_S = 1.0
SHARE = 8  # a process enters an eighth of the places it counted, then counts again: others do, too

# Not `$exists`, for which MongoDB would look at each notification and not only into the index.
_WAITS = {"push.free_at": {"$gte": 0}}


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


class Places:
    """How many pushes may still be entered.

    Counting takes as long as there are pushes, most of all when the outbox is full. So it is
    done once a second, or when few places are left.
    """

    def __init__(self, database: MongoDatabase) -> None:
        self._database = database
        self._waiting = 0  # at the last count
        self._holds_until = -math.inf  # by the clock of the event loop
        self._own = 0  # how many this process may enter before the next one

    async def left(self, *, most: int, wanted: int) -> int:
        """Return how many, where ``most`` may wait; at most ``wanted`` of them are entered."""
        now = asyncio.get_running_loop().time()
        is_full = self._waiting >= most
        if now >= self._holds_until or (wanted > self._own and not is_full):
            counting = self._database.inbox.count_documents(_WAITS, limit=most)
            self._waiting = await self._database.read(counting)
            self._own = (most - self._waiting) // SHARE
            self._holds_until = now + COUNT_HOLDS_S
        self._own -= wanted
        return most - self._waiting
