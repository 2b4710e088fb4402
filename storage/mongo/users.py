"""Users in MongoDB."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import Any
from weakref import WeakValueDictionary

from pymongo import ReturnDocument, UpdateOne
from pymongo.errors import DuplicateKeyError

from parley.storage.errors import OutcomeUnknown
from parley.storage.models import Timestamp, User, UserId
from parley.storage.mongo.database import MongoDatabase
from parley.storage.mongo.errors import translated_write
from parley.storage.mongo.shared import Shared


class MongoUsers:
    """See `UserRepository`."""

    def __init__(self, database: MongoDatabase) -> None:
        """Keep users in ``database``."""
        self._database = database
        self._known: Shared[UserId, User] = Shared(self.known)
        self._seeing: WeakValueDictionary[UserId, asyncio.Lock] = WeakValueDictionary()

    async def see(self, user_id: UserId, name: str | None, at: Timestamp) -> User:
        """See `UserRepository`."""
        # In the order of the calls: the driver has many connections, and two first sights that
        # overtake each other would leave the older name.
        async with self._seeing.setdefault(user_id, asyncio.Lock()):
            # Nearly always she is known already: then a thousand connects write nothing.
            known = await self.get(user_id)
            if known is not None and name in (None, known.name):
                return known
            return await self._database.write(self._see(user_id, name, at))

    async def _see(self, user_id: UserId, name: str | None, at: Timestamp) -> User:
        change: dict[str, Any] = {"$setOnInsert": {"first_seen": at}}
        if name is not None:
            change["$set"] = {"name": name}
        with translated_write():
            try:
                found: Any = await self._database.users.find_one_and_update(
                    {"_id": user_id}, change, upsert=True, return_document=ReturnDocument.AFTER
                )
            except DuplicateKeyError:  # two nodes at once
                raise OutcomeUnknown("MongoDB: the user appeared meanwhile") from None
        return _user_from(found)

    async def get(self, user_id: UserId) -> User | None:
        """See `UserRepository`."""
        return await self._known.get(user_id)

    async def names(self, user_ids: Collection[UserId]) -> Mapping[UserId, str]:
        """See `UserRepository`."""
        return await self._database.read(names_of(self._database, user_ids))

    async def known(self, user_ids: Collection[UserId]) -> Mapping[UserId, User]:
        """See `UserRepository`."""

        async def query() -> dict[UserId, User]:
            found = self._database.users.find({"_id": {"$in": list(user_ids)}})
            return {user["_id"]: _user_from(user) async for user in found}

        return await self._database.read(query())

    async def page(self, *, after: UserId | None = None, limit: int) -> Sequence[User]:
        """See `UserRepository`."""

        async def query() -> list[User]:
            found = self._database.users.find({"_id": {"$gt": after or ""}})
            return [_user_from(user) async for user in found.sort("_id", 1).limit(limit)]

        return await self._database.read(query())

    async def count(self) -> int:
        """See `UserRepository`."""
        return await self._database.read(self._database.users.count_documents({}))

    async def saw(self, seen: Mapping[UserId, Timestamp]) -> None:
        """See `UserRepository`."""
        changes = [
            UpdateOne(
                {"_id": user_id},
                {"$max": {"last_seen": at}, "$setOnInsert": {"first_seen": at}},
                upsert=True,
            )
            for user_id, at in seen.items()
        ]
        if changes:
            await self._database.write(self._saw(changes))

    async def _saw(self, changes: Sequence[UpdateOne]) -> None:
        with translated_write():
            await self._database.users.bulk_write(changes, ordered=False)

    async def set_invisible(self, user_id: UserId, invisible: bool, at: Timestamp) -> None:
        """See `UserRepository`."""
        await self._database.write(self._set_invisible(user_id, invisible, at))

    async def _set_invisible(self, user_id: UserId, invisible: bool, at: Timestamp) -> None:
        change = {"$set": {"invisible": invisible}, "$setOnInsert": {"first_seen": at}}
        with translated_write():
            await self._database.users.update_one({"_id": user_id}, change, upsert=True)


async def names_of(database: MongoDatabase, user_ids: Collection[UserId]) -> dict[UserId, str]:
    """Return what users are called; who has no name is left out."""
    asked = {"_id": {"$in": list(user_ids)}, "name": {"$exists": True}}
    return {user["_id"]: user["name"] async for user in database.users.find(asked, {"name": 1})}


def _user_from(document: Mapping[str, Any]) -> User:
    return User(
        id=document["_id"],
        name=document.get("name"),
        first_seen=document["first_seen"],
        last_seen=document.get("last_seen"),
        invisible=document.get("invisible", False),
    )
