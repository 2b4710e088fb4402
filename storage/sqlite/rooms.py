"""Rooms in SQLite."""

import sqlite3
from collections.abc import Collection, Mapping, Sequence

from parley.storage.models import (
    Draft,
    Head,
    Room,
    RoomId,
    RoomListing,
    RoomSnapshot,
    Timestamp,
)
from parley.storage.sqlite import control, emptying, listings, rows
from parley.storage.sqlite.connection import WritingConnection, read_head
from parley.storage.sqlite.database import Database
from parley.storage.sqlite.records import MEMBERSHIP, existing, membership_from


class SqliteRooms:
    """See `RoomRepository`."""

    def __init__(self, database: Database) -> None:
        """Keep rooms in ``database``."""
        self._database = database

    async def create(self, room: Room, founding: Sequence[Draft]) -> RoomSnapshot:
        """See `RoomRepository`."""

        def job(connection: WritingConnection) -> RoomSnapshot:
            stored = _snapshot(connection, room.id)
            if stored is not None:
                return stored
            control.keep_room(connection, room)
            rows.append(connection, room.id, Head(epoch=room.epoch, rev=0), founding)
            return existing(_snapshot(connection, room.id))

        return await self._database.write(job)

    async def get(self, room_id: RoomId) -> RoomSnapshot | None:
        """See `RoomRepository`."""
        return await self._database.read(lambda connection: _snapshot(connection, room_id))

    async def heads(self, room_ids: Collection[RoomId]) -> Mapping[RoomId, Head]:
        """See `RoomRepository`."""

        def query(connection: sqlite3.Connection) -> Mapping[RoomId, Head]:
            heads = {room_id: read_head(connection, room_id) for room_id in room_ids}
            return {room_id: head for room_id, head in heads.items() if head is not None}

        return await self._database.read(query)

    async def listed(
        self,
        *,
        containing: str = "",
        after: tuple[str, RoomId] | None = None,
        limit: int,
    ) -> Sequence[RoomListing]:
        """See `RoomRepository`."""
        return await self._database.read(
            lambda connection: listings.listed(connection, containing, after, limit)
        )

    async def page(self, *, after: RoomId | None = None, limit: int) -> Sequence[Room]:
        """See `RoomRepository`."""
        return await self._database.read(lambda connection: listings.page(connection, after, limit))

    async def delete(
        self, room_id: RoomId, *, epoch: str, after: int, new_epoch: str, at: Timestamp
    ) -> None:
        """See `RoomRepository`."""
        expected = Head(epoch=epoch, rev=after)
        await self._database.write(
            lambda connection: emptying.empty(connection, room_id, expected, new_epoch, at)
        )

    async def sweep(self, *, limit: int) -> int:
        """See `RoomRepository`."""
        return await self._database.write(lambda connection: emptying.sweep(connection, limit))


def _snapshot(connection: sqlite3.Connection, room_id: RoomId) -> RoomSnapshot | None:
    room = control.room(connection, room_id)
    head = read_head(connection, room_id)
    if room is None or head is None:
        return None
    members = connection.execute(
        f"SELECT {MEMBERSHIP} FROM members WHERE room_id = ? ORDER BY joined_rev, user_id",
        (room_id,),
    ).fetchall()
    return RoomSnapshot(
        room=room,
        head=head.rev,
        members=tuple(map(membership_from, members)),
    )
