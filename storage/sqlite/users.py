"""Users in SQLite."""

import sqlite3
from collections.abc import Collection, Mapping, Sequence

import orjson

from parley.storage.models import Timestamp, User, UserId
from parley.storage.sqlite.database import Database
from parley.storage.sqlite.records import existing

_SEE = (
    "INSERT INTO users (user_id, name, first_seen) VALUES (?, ?, ?) "
    "ON CONFLICT (user_id) DO UPDATE SET name = coalesce(excluded.name, name)"
)
_NAMES = (
    "SELECT user_id, name FROM json_each(?) AS wanted JOIN users ON user_id = wanted.value "
    "WHERE name IS NOT NULL"
)
_PAGE = "SELECT user_id, name, first_seen FROM users WHERE user_id > ? ORDER BY user_id LIMIT ?"


class SqliteUsers:
    """See `UserRepository`."""

    def __init__(self, database: Database) -> None:
        """Keep users in ``database``."""
        self._database = database

    async def see(self, user_id: UserId, name: str | None, at: Timestamp) -> User:
        """See `UserRepository`."""
        # Nearly always she is known already: then a thousand connects write nothing.
        known = await self.get(user_id)
        if known is not None and name in (None, known.name):
            return known

        def job(connection: sqlite3.Connection) -> User:
            connection.execute(_SEE, (user_id, name, at))
            return existing(_user(connection, user_id))

        return await self._database.write(job)

    async def get(self, user_id: UserId) -> User | None:
        """See `UserRepository`."""
        return await self._database.read(lambda connection: _user(connection, user_id))

    async def names(self, user_ids: Collection[UserId]) -> Mapping[UserId, str]:
        """See `UserRepository`."""
        wanted = orjson.dumps(list(user_ids)).decode()
        return await self._database.read(
            lambda connection: dict(connection.execute(_NAMES, (wanted,)).fetchall())
        )

    async def page(self, *, after: UserId | None = None, limit: int) -> Sequence[User]:
        """See `UserRepository`."""

        def query(connection: sqlite3.Connection) -> list[User]:
            found = connection.execute(_PAGE, (after or "", limit)).fetchall()
            return [User(id=row[0], name=row[1], first_seen=row[2]) for row in found]

        return await self._database.read(query)

    async def count(self) -> int:
        """See `UserRepository`."""

        def query(connection: sqlite3.Connection) -> int:
            count: int = connection.execute("SELECT count(*) FROM users").fetchone()[0]
            return count

        return await self._database.read(query)


def _user(connection: sqlite3.Connection, user_id: UserId) -> User | None:
    row = connection.execute(
        "SELECT user_id, name, first_seen FROM users WHERE user_id = ?", (user_id,)
    ).fetchone()
    return User(id=row[0], name=row[1], first_seen=row[2]) if row else None
