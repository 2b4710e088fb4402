"""The outbox of pushes in SQLite."""

import sqlite3
from collections.abc import Collection, Sequence

import orjson

from parley.storage.models import Timestamp
from parley.storage.notifications import NotificationId, Push
from parley.storage.sqlite.connection import WritingConnection
from parley.storage.sqlite.database import Database
from parley.storage.sqlite.inbox import NOTIFICATION, notification_from
from parley.storage.sqlite.records import columns

_DUE = (
    f"SELECT {columns(NOTIFICATION, 'inbox')}, tries FROM pushes CROSS JOIN inbox "
    "ON inbox.user_id = pushes.user_id AND inbox.rev = pushes.seq "
    "WHERE due_at <= ? ORDER BY due_at LIMIT ?"
)
_POSTPONE = "UPDATE pushes SET tries = tries + 1, due_at = ? WHERE notification_id = ?"
_SETTLE = "DELETE FROM pushes WHERE notification_id IN (SELECT value FROM json_each(?))"


class SqlitePushes:
    """See `PushOutbox`."""

    def __init__(self, database: Database) -> None:
        """Keep pushes in ``database``."""
        self._database = database

    async def due(self, *, now: Timestamp, limit: int) -> Sequence[Push]:
        """See `PushOutbox`."""

        def query(connection: sqlite3.Connection) -> list[Push]:
            found = connection.execute(_DUE, (now, limit)).fetchall()
            return [Push(notification=notification_from(row), tries=row[-1]) for row in found]

        return await self._database.read(query)

    async def next_due(self) -> Timestamp | None:
        """See `PushOutbox`."""

        def query(connection: sqlite3.Connection) -> Timestamp | None:
            due: Timestamp | None = connection.execute("SELECT min(due_at) FROM pushes").fetchone()[
                0
            ]
            return due

        return await self._database.read(query)

    async def postpone(self, notification_id: NotificationId, *, due_at: Timestamp) -> None:
        """See `PushOutbox`."""

        def job(connection: WritingConnection) -> None:
            connection.execute(_POSTPONE, (due_at, notification_id))

        await self._database.write(job)

    async def settle(self, notification_ids: Collection[NotificationId]) -> None:
        """See `PushOutbox`."""
        wanted = orjson.dumps(list(notification_ids)).decode()

        def job(connection: WritingConnection) -> None:
            connection.execute(_SETTLE, (wanted,))

        await self._database.write(job)

    async def size(self) -> int:
        """See `PushOutbox`."""

        def query(connection: sqlite3.Connection) -> int:
            count: int = connection.execute("SELECT pushes FROM push_count").fetchone()[0]
            return count

        return await self._database.read(query)
