"""Which rooms users have muted, in SQLite."""

import sqlite3
from collections.abc import Collection, Sequence

import orjson

from parley.storage.models import RoomId, UserId
from parley.storage.sqlite.connection import WritingConnection
from parley.storage.sqlite.database import Database

_MUTE = "INSERT OR IGNORE INTO muted_rooms VALUES (?, ?)"
_UNMUTE = "DELETE FROM muted_rooms WHERE user_id = ? AND room_id = ?"
_MUTED = "SELECT room_id FROM muted_rooms WHERE user_id = ? ORDER BY room_id"
_MUTING = (
    "SELECT user_id FROM json_each(?) AS wanted CROSS JOIN muted_rooms "
    "ON user_id = wanted.value AND room_id = ?"
)


class SqliteMutes:
    """See `MuteRepository`."""

    def __init__(self, database: Database) -> None:
        """Keep mutes in ``database``."""
        self._database = database

    async def set_muted(self, user_id: UserId, room_id: RoomId, *, muted: bool) -> None:
        """See `MuteRepository`."""

        def job(connection: WritingConnection) -> None:
            connection.execute(_MUTE if muted else _UNMUTE, (user_id, room_id))

        await self._database.write(job)

    async def of_user(self, user_id: UserId) -> Sequence[RoomId]:
        """See `MuteRepository`."""

        def query(connection: sqlite3.Connection) -> list[RoomId]:
            return [room_id for (room_id,) in connection.execute(_MUTED, (user_id,)).fetchall()]

        return await self._database.read(query)

    async def muting(self, room_id: RoomId, user_ids: Collection[UserId]) -> Collection[UserId]:
        """See `MuteRepository`."""
        wanted = orjson.dumps(list(user_ids)).decode()

        def query(connection: sqlite3.Connection) -> set[UserId]:
            found = connection.execute(_MUTING, (wanted, room_id)).fetchall()
            return {user_id for (user_id,) in found}

        return await self._database.read(query)
