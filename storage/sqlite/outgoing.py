"""Mutes, publications and the outbox of pushes in SQLite."""

import sqlite3
from collections.abc import Collection, Sequence

import orjson

from parley.storage.models import RoomId, Timestamp, UserId
from parley.storage.notifications import (
    Audience,
    NotificationId,
    Publication,
    PublicationId,
    Push,
)
from parley.storage.sqlite.connection import WritingConnection
from parley.storage.sqlite.database import Database
from parley.storage.sqlite.inbox import NOTIFICATION, notification_from
from parley.storage.sqlite.records import Row, columns, existing, marks

_MUTE = "INSERT OR IGNORE INTO muted_rooms VALUES (?, ?)"
_UNMUTE = "DELETE FROM muted_rooms WHERE user_id = ? AND room_id = ?"
_MUTED = "SELECT room_id FROM muted_rooms WHERE user_id = ? ORDER BY room_id"
_MUTING = (
    "SELECT user_id FROM json_each(?) AS wanted CROSS JOIN muted_rooms "
    "ON user_id = wanted.value AND room_id = ?"
)

_PUBLICATION = (
    "publication_id, publisher, client_id, digest, audience, content, created_at, dedupe_key, "
    "collapse_key, expires_at, total, done, stored, after, finished"
)
_BEGIN = (
    f"INSERT INTO publications ({_PUBLICATION}) VALUES ({marks(_PUBLICATION)}) "
    "ON CONFLICT (publisher, client_id) DO NOTHING"
)
_OF_CLIENT_ID = f"SELECT {_PUBLICATION} FROM publications WHERE publisher = ? AND client_id = ?"
_GET = f"SELECT {_PUBLICATION} FROM publications WHERE publication_id = ?"
_ADVANCE = (
    "UPDATE publications SET done = ?, stored = ?, after = ?, finished = ? WHERE publication_id = ?"
)
_UNFINISHED = f"SELECT {_PUBLICATION} FROM publications WHERE NOT finished ORDER BY publication_id"
_FORGET = "DELETE FROM publications WHERE created_at < ? AND finished"
_CHECKPOINT = "SELECT position FROM checkpoints WHERE name = ?"
_KEEP_CHECKPOINT = "INSERT OR REPLACE INTO checkpoints VALUES (?, ?)"

_DUE = (
    f"SELECT {columns(NOTIFICATION, 'inbox')}, tries FROM pushes CROSS JOIN inbox "
    "ON inbox.user_id = pushes.user_id AND inbox.rev = pushes.seq "
    "WHERE due_at <= ? ORDER BY due_at LIMIT ?"
)
_POSTPONE = "UPDATE pushes SET tries = tries + 1, due_at = ? WHERE notification_id = ?"
_SETTLE = "DELETE FROM pushes WHERE notification_id IN (SELECT value FROM json_each(?))"


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


class SqlitePublications:
    """See `PublicationRepository`."""

    def __init__(self, database: Database) -> None:
        """Keep publications in ``database``."""
        self._database = database

    async def begin(self, publication: Publication) -> Publication:
        """See `PublicationRepository`."""
        row = _row_of(publication)

        def job(connection: WritingConnection) -> Publication:
            connection.execute(_BEGIN, row)
            key = (publication.publisher, publication.client_id)
            return existing(_one(connection, _OF_CLIENT_ID, key))

        return await self._database.write(job)

    async def get(self, publication_id: PublicationId) -> Publication | None:
        """See `PublicationRepository`."""
        return await self._database.read(
            lambda connection: _one(connection, _GET, (publication_id,))
        )

    async def advance(self, publication: Publication) -> None:
        """See `PublicationRepository`."""
        row = (
            publication.done,
            publication.stored,
            publication.after,
            publication.finished,
            publication.id,
        )

        def job(connection: WritingConnection) -> None:
            connection.execute(_ADVANCE, row)

        await self._database.write(job)

    async def unfinished(self) -> Sequence[Publication]:
        """See `PublicationRepository`."""
        return await self._database.read(
            lambda connection: list(
                map(_publication_from, connection.execute(_UNFINISHED).fetchall())
            )
        )

    async def forget(self, *, before: Timestamp) -> int:
        """See `PublicationRepository`."""
        return await self._database.write(
            lambda connection: connection.execute(_FORGET, (before,)).rowcount
        )

    async def checkpoint(self, name: str) -> str | None:
        """See `PublicationRepository`."""

        def query(connection: sqlite3.Connection) -> str | None:
            found = connection.execute(_CHECKPOINT, (name,)).fetchone()
            return None if found is None else str(found[0])

        return await self._database.read(query)

    async def keep_checkpoint(self, name: str, position: str) -> None:
        """See `PublicationRepository`."""

        def job(connection: WritingConnection) -> None:
            connection.execute(_KEEP_CHECKPOINT, (name, position))

        await self._database.write(job)


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


def _one(connection: sqlite3.Connection, statement: str, key: Row) -> Publication | None:
    row = connection.execute(statement, key).fetchone()
    return None if row is None else _publication_from(row)


def _row_of(publication: Publication) -> Row:
    audience = publication.audience
    return (
        publication.id,
        publication.publisher,
        publication.client_id,
        publication.digest,
        orjson.dumps([audience.user_ids, audience.room_id, audience.everyone]),
        orjson.dumps(publication.content),
        publication.created_at,
        publication.dedupe_key,
        publication.collapse_key,
        publication.expires_at,
        publication.total,
        publication.done,
        publication.stored,
        publication.after,
        publication.finished,
    )


def _publication_from(row: Row) -> Publication:
    user_ids, room_id, everyone = orjson.loads(row[4])
    return Publication(
        id=row[0],
        publisher=row[1],
        client_id=row[2],
        digest=row[3],
        audience=Audience(user_ids=tuple(user_ids), room_id=room_id, everyone=everyone),
        content=orjson.loads(row[5]),
        created_at=row[6],
        dedupe_key=row[7],
        collapse_key=row[8],
        expires_at=row[9],
        total=row[10],
        done=row[11],
        stored=row[12],
        after=row[13],
        finished=bool(row[14]),
    )
