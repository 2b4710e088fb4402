"""Which rooms users have muted, in MongoDB."""

from collections.abc import Collection, Sequence

from parley.storage.models import RoomId, UserId
from parley.storage.mongo.database import MongoDatabase
from parley.storage.mongo.errors import translated_write


class MongoMutes:
    """See `MuteRepository`."""

    def __init__(self, database: MongoDatabase) -> None:
        """Keep mutes in ``database``."""
        self._database = database

    async def set_muted(self, user_id: UserId, room_id: RoomId, *, muted: bool) -> None:
        """See `MuteRepository`."""
        await self._database.write(self._set_muted(user_id, room_id, muted))

    async def _set_muted(self, user_id: UserId, room_id: RoomId, muted: bool) -> None:
        mute = {"_id": f"{user_id} {room_id}", "user_id": user_id, "room_id": room_id}
        with translated_write():
            if muted:
                await self._database.muted_rooms.replace_one(
                    {"_id": mute["_id"]}, mute, upsert=True
                )
            else:
                await self._database.muted_rooms.delete_one({"_id": mute["_id"]})

    async def of_user(self, user_id: UserId) -> Sequence[RoomId]:
        """See `MuteRepository`."""

        async def query() -> list[RoomId]:
            found = self._database.muted_rooms.find({"user_id": user_id}, {"room_id": 1})
            return [mute["room_id"] async for mute in found.sort("room_id", 1)]

        return await self._database.read(query())

    async def muting(self, room_id: RoomId, user_ids: Collection[UserId]) -> Collection[UserId]:
        """See `MuteRepository`."""
        asked = {"user_id": {"$in": list(user_ids)}, "room_id": room_id}

        async def query() -> set[UserId]:
            found = self._database.muted_rooms.find(asked, {"user_id": 1})
            return {mute["user_id"] async for mute in found}

        return await self._database.read(query())
