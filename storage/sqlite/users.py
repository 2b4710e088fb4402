"""Users in SQLite."""

import sqlite3
from collections.abc import Collection, Mapping, Sequence

import orjson

from parley.storage.models import Timestamp, User, UserId
from parley.storage.sqlite.database import Database
from parley.storage.sqlite.records import Row, existing

_SEE = (
    "INSERT INTO users (user_id, name, first_seen) VALUES (?, ?, ?) "
    "ON CONFLICT (user_id) DO UPDATE SET name = coalesce(excluded.name, name)"
)
_USER = "user_id, name, first_seen, last_seen, invisible"
_KNOWN = f"SELECT {_USER} FROM json_each(?) AS wanted JOIN users ON user_id = wanted.value"
_SAW = (
    "INSERT INTO users (user_id, first_seen, last_seen) VALUES (:user_id, :at, :at) "
    "ON CONFLICT (user_id) DO UPDATE SET "
    "last_seen = max(coalesce(last_seen, 0), excluded.last_seen)"
)
_SET_INVISIBLE = (
    "INSERT INTO users (user_id, first_seen, invisible) VALUES (?, ?, ?) "
    "ON CONFLICT (user_id) DO UPDATE SET invisible = excluded.invisible"
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

    async def known(self, user_ids: Collection[UserId]) -> Mapping[UserId, User]:
        """See `UserRepository`."""
        wanted = orjson.dumps(list(user_ids)).decode()

        def query(connection: sqlite3.Connection) -> dict[UserId, User]:
            found = map(_user_from, connection.execute(_KNOWN, (wanted,)).fetchall())
            return {user.id: user for user in found}

        return await self._database.read(query)

    async def saw(self, seen: Mapping[UserId, Timestamp]) -> None:
        """See `UserRepository`."""
        rows = [{"user_id": user_id, "at": at} for user_id, at in seen.items()]

        def job(connection: sqlite3.Connection) -> None:
            connection.executemany(_SAW, rows)

        await self._database.write(job)

    async def set_invisible(self, user_id: UserId, invisible: bool, at: Timestamp) -> None:
        """See `UserRepository`."""

        def job(connection: sqlite3.Connection) -> None:
            connection.execute(_SET_INVISIBLE, (user_id, at, invisible))

        await self._database.write(job)

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
    row = connection.execute(f"SELECT {_USER} FROM users WHERE user_id = ?", (user_id,)).fetchone()
    return _user_from(row) if row else None


def _user_from(row: Row) -> User:
    return User(id=row[0], name=row[1], first_seen=row[2], last_seen=row[3], invisible=bool(row[4]))
