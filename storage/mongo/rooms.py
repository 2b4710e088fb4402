"""Rooms in MongoDB."""

from collections.abc import Collection, Mapping, Sequence

from parley.storage.errors import NotStored
from parley.storage.models import (
    Draft,
    Head,
    Room,
    RoomId,
    RoomListing,
    RoomSnapshot,
    Timestamp,
)
from parley.storage.mongo import emptying, listings, rows
from parley.storage.mongo.database import MongoDatabase, Session
from parley.storage.mongo.documents import document_of_room, head_of, membership_from, room_from
from parley.storage.mongo.logs import newest, surest_ends


class MongoRooms:
    """See `RoomRepository`."""

    def __init__(self, database: MongoDatabase) -> None:
        """Keep rooms in ``database``."""
        self._database = database

    async def create(self, room: Room, founding: Sequence[Draft]) -> RoomSnapshot:
        """See `RoomRepository`."""

        async def work(session: Session) -> None:
            rooms = self._database.rooms
            if await rooms.find_one({"_id": room.id}, {"_id": 1}, session=session) is None:
                document = {"_id": room.id, **document_of_room(room), "member_count": 0}
                await rooms.insert_one(document, session=session)
                await rows.place(self._database, session, room, 0, founding)

        await self._database.transact(work)
        snapshot = await self.get(room.id)
        if snapshot is None:
            raise NotStored(f"the room {room.id} was made and is not there")
        return snapshot

    async def get(self, room_id: RoomId) -> RoomSnapshot | None:
        """See `RoomRepository`."""

        async def query(session: Session) -> RoomSnapshot | None:
            rev = await newest(self._database, room_id, session)
            room = await self._database.rooms.find_one({"_id": room_id}, session=session)
            if room is None:
                return None
            members = self._database.members.find({"room_id": room_id}, session=session)
            members = members.sort([("joined_rev", 1), ("user_id", 1)])
            return RoomSnapshot(
                room=room_from(room),
                head=head_of(room, rev).rev,
                members=tuple([membership_from(member) async for member in members]),
            )

        return await self._database.view(query)

    async def heads(self, room_ids: Collection[RoomId]) -> Mapping[RoomId, Head]:
        """See `RoomRepository`."""
        return await self._database.read(surest_ends(self._database, room_ids))

    async def listed(
        self,
        *,
        containing: str = "",
        after: tuple[str, RoomId] | None = None,
        limit: int,
    ) -> Sequence[RoomListing]:
        """See `RoomRepository`."""
        return await self._database.read(listings.listed(self._database, containing, after, limit))

    async def page(self, *, after: RoomId | None = None, limit: int) -> Sequence[Room]:
        """See `RoomRepository`."""
        return await self._database.read(listings.page(self._database, after, limit))

    async def delete(
        self, room_id: RoomId, *, epoch: str, after: int, new_epoch: str, at: Timestamp
    ) -> None:
        """See `RoomRepository`."""

        async def work(session: Session, room: Room) -> None:
            await emptying.empty(self._database, session, room, after, new_epoch, at)

        await rows.transact_at(self._database, room_id, work, epoch=epoch, after=after)
        self._database.heads.forget(room_id)

    async def sweep(self, *, limit: int) -> int:
        """See `RoomRepository`."""
        return await emptying.sweep(self._database, limit)
