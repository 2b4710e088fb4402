"""Publications and checkpoints in SQLite."""

import sqlite3
from collections.abc import Sequence

import orjson

from parley.storage.models import Timestamp
from parley.storage.notifications import Audience, Publication, PublicationId
from parley.storage.sqlite.connection import WritingConnection
from parley.storage.sqlite.database import Database
from parley.storage.sqlite.records import Row, existing, marks

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
    "UPDATE publications SET done = ?, stored = ?, after = ?, finished = ? "
    "WHERE publication_id = ? AND NOT finished AND (after IS NULL OR after <= ?)"
)
_UNFINISHED = f"SELECT {_PUBLICATION} FROM publications WHERE NOT finished ORDER BY publication_id"
_FORGET = "DELETE FROM publications WHERE created_at < ? AND finished"
_CHECKPOINT = "SELECT position FROM checkpoints WHERE name = ?"
_KEEP_CHECKPOINT = "INSERT OR REPLACE INTO checkpoints VALUES (?, ?)"


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
            publication.after,
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
