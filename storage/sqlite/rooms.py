"""Rooms in SQLite."""

import sqlite3
from collections.abc import Collection, Mapping, Sequence

from parley.storage.models import Draft, Head, Room, RoomId, RoomSnapshot
from parley.storage.sqlite import control, rows
from parley.storage.sqlite.database import Database
from parley.storage.sqlite.records import MEMBERSHIP, membership_from


class SqliteRooms:
    """See `RoomRepository`."""

    def __init__(self, database: Database) -> None:
        """Keep rooms in ``database``."""
        self._database = database

    async def create(self, room: Room, founding: Sequence[Draft]) -> RoomSnapshot:
        """See `RoomRepository`."""

        def job(connection: sqlite3.Connection) -> RoomSnapshot:
            if control.room(connection, room.id) is None:
                control.keep_room(connection, room)
                rows.append(connection, room.id, 0, founding)
            snapshot = _snapshot(connection, room.id)
            assert snapshot is not None
            return snapshot

        return await self._database.write(job)

    async def get(self, room_id: RoomId) -> RoomSnapshot | None:
        """See `RoomRepository`."""
        return await self._database.read(lambda connection: _snapshot(connection, room_id))

    async def heads(self, room_ids: Collection[RoomId]) -> Mapping[RoomId, Head]:
        """See `RoomRepository`."""

        def query(connection: sqlite3.Connection) -> Mapping[RoomId, Head]:
            ends = {room_id: rows.end_of_log(connection, room_id) for room_id in room_ids}
            return {
                room_id: Head(epoch=epoch, rev=rev) for room_id, (epoch, rev) in ends.items() if epoch
            }

        return await self._database.read(query)


def _snapshot(connection: sqlite3.Connection, room_id: RoomId) -> RoomSnapshot | None:
    room = control.room(connection, room_id)
    if room is None:
        return None
    members = connection.execute(
        f"SELECT {MEMBERSHIP} FROM members WHERE room_id = ? ORDER BY joined_rev, user_id",
        (room_id,),
    ).fetchall()
    return RoomSnapshot(
        room=room,
        head=rows.end_of_log(connection, room_id)[1],
        members=tuple(map(membership_from, members)),
    )
