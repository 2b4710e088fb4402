"""The log of every room in SQLite."""

import sqlite3
from collections.abc import Sequence

from parley.storage.models import (
    UNREAD_CAP,
    ClientId,
    Draft,
    Duplicate,
    Message,
    MessageId,
    Outcome,
    Page,
    Purged,
    RoomId,
    Timestamp,
    Unread,
    UserId,
)
from parley.storage.sqlite import counting, purge, rows, written
from parley.storage.sqlite.append import Batch, append_all
from parley.storage.sqlite.database import Database
from parley.storage.sqlite.records import MESSAGE, columns, message_from

_ROOM = counting.undeleted("?")
_STRETCH = (
    "SELECT count(*), max(rev) FROM "
    f"(SELECT rev FROM log WHERE room_id = {_ROOM} AND rev > ? ORDER BY rev LIMIT ?)"
)
# A message is in the stretch where its newest row is, and comes once, in the present state.
_CHANGED = (
    f"SELECT {columns(MESSAGE, 'message')} FROM log AS row JOIN log AS message "
    "ON message.room_id = row.room_id AND message.rev = row.seq "
    "WHERE row.room_id = ? AND row.rev > ? AND row.rev <= ? AND message.state_rev = row.rev "
    "ORDER BY row.rev"
)
_HISTORY = (
    f"SELECT {MESSAGE} FROM log WHERE room_id = {_ROOM} AND rev > ? AND rev < ? AND kind = 'create'"
)
_GET = (
    f"SELECT {MESSAGE} FROM log WHERE message_id = ? AND kind = 'create' "
    f"AND room_id = {counting.undeleted('log.room_id')}"
)
_SPOKEN = (
    f"SELECT {MESSAGE} FROM log INDEXED BY messages_by_id "
    f"WHERE message_id > ? AND kind = 'create' AND {counting.SPOKEN} "
    f"AND room_id = {counting.undeleted('log.room_id')} ORDER BY message_id LIMIT ?"
)
_REVISED = (
    f"SELECT row.created_at, {columns(MESSAGE, 'made')} "
    "FROM log AS row INDEXED BY revised_messages "
    "JOIN log AS made ON made.room_id = row.room_id AND made.rev = row.seq "
    "WHERE row.kind IN ('edit', 'delete') AND (row.created_at, row.message_id) > (?, ?) "
    f"AND row.room_id = {counting.undeleted('row.room_id')} "
    "ORDER BY row.created_at, row.message_id LIMIT ?"
)
_UNREAD = "SELECT " + counting.unread(counting.undeleted(":room_id"), ":user_id", ":after", ":upto")
_OLDEST = f"SELECT min(rev) FROM log WHERE room_id = {_ROOM}"
_ALL = -1  # as a LIMIT
_END = 1 << 62  # beyond every position


class SqliteMessages:
    """See `MessageRepository`."""

    def __init__(self, database: Database) -> None:
        """Keep the log in ``database``."""
        self._database = database

    async def append(
        self, room_id: RoomId, *, epoch: str, after: int, drafts: Sequence[Draft]
    ) -> Sequence[Outcome]:
        """See `MessageRepository`."""
        batch = Batch.of(room_id, epoch, after, drafts)
        return await self._database.write_together(append_all, batch)

    def heard(self, room_id: RoomId, *, epoch: str, after: int, rev: int) -> None:
        """Do nothing: there is no other node."""

    async def stored(
        self, room_id: RoomId, sender: UserId, client_id: ClientId
    ) -> Duplicate | None:
        """See `MessageRepository`."""
        return await self._database.read(
            lambda connection: rows.stored(connection, room_id, sender, client_id)
        )

    async def changes(self, room_id: RoomId, *, after: int, limit: int | None = None) -> Page:
        """See `MessageRepository`."""

        def query(connection: sqlite3.Connection) -> Page:
            stretch = (room_id, after, _ALL if limit is None else limit)
            count, last = connection.execute(_STRETCH, stretch).fetchone()
            if not count:
                return Page(messages=(), last=after, more=False)
            changed = connection.execute(_CHANGED, (room_id, after, last)).fetchall()
            return Page(
                messages=tuple(map(message_from, changed)),
                last=last,
                more=_is_more(connection, room_id, last),
                dense=count == last - after,
            )

        return await self._database.read(query)

    async def history(
        self,
        room_id: RoomId,
        *,
        limit: int,
        before: int | None = None,
        after: int | None = None,
        floor: int = 0,
    ) -> Sequence[Message]:
        """See `MessageRepository`."""
        low = max(floor - 1, 0 if after is None else after)
        high = _END if before is None else before
        order = "DESC" if after is None else "ASC"

        def query(connection: sqlite3.Connection) -> list[Message]:
            found = connection.execute(
                f"{_HISTORY} ORDER BY rev {order} LIMIT ?", (room_id, low, high, limit)
            ).fetchall()
            return [message_from(row) for row in found]

        messages = await self._database.read(query)
        return messages[::-1] if after is None else messages

    async def get(self, message_id: MessageId) -> Message | None:
        """See `MessageRepository`."""

        def query(connection: sqlite3.Connection) -> Message | None:
            row = connection.execute(_GET, (message_id,)).fetchone()
            return message_from(row) if row else None

        return await self._database.read(query)

    async def unread(
        self, room_id: RoomId, user_id: UserId, *, after: int, upto: int | None = None
    ) -> Unread:
        """See `MessageRepository`."""

        def query(connection: sqlite3.Connection) -> Unread:
            asked = {
                "room_id": room_id,
                "user_id": user_id,
                "after": after,
                "upto": _END if upto is None else upto,
                "most": UNREAD_CAP,
            }
            count, mentions = connection.execute(_UNREAD, asked).fetchone()
            return Unread(count=count, mentions=mentions)

        return await self._database.read(query)

    async def written_by(
        self, author: UserId, *, reader: UserId, before: MessageId | None = None, limit: int
    ) -> Sequence[Message]:
        """See `MessageRepository`."""
        return await self._database.read(
            lambda connection: written.written_by(connection, author, reader, before, limit)
        )

    async def spoken(self, *, after: str, limit: int) -> Sequence[Message]:
        """See `MessageRepository`."""

        def query(connection: sqlite3.Connection) -> list[Message]:
            found = connection.execute(_SPOKEN, (after, limit)).fetchall()
            return [message_from(row) for row in found]

        return await self._database.read(query)

    async def revised(
        self, *, after: tuple[Timestamp, str], limit: int
    ) -> Sequence[tuple[Timestamp, Message]]:
        """See `MessageRepository`."""

        def query(connection: sqlite3.Connection) -> list[tuple[Timestamp, Message]]:
            found = connection.execute(_REVISED, (*after, limit)).fetchall()
            return [(row[0], message_from(row[1:])) for row in found]

        return await self._database.read(query)

    async def purge(self, room_id: RoomId, *, before: Timestamp, limit: int) -> Purged:
        """See `MessageRepository`."""
        return await self._database.write(
            lambda connection: purge.step(connection, room_id, before, limit)
        )

    async def oldest(self, room_id: RoomId) -> int:
        """See `MessageRepository`."""

        def query(connection: sqlite3.Connection) -> int:
            # The oldest row is always a message: its changes come after it, and go before it.
            oldest: int | None = connection.execute(_OLDEST, (room_id,)).fetchone()[0]
            return oldest or 1

        return await self._database.read(query)


def _is_more(connection: sqlite3.Connection, room_id: RoomId, last: int) -> bool:
    head = connection.execute("SELECT max(rev) FROM log WHERE room_id = ?", (room_id,)).fetchone()[
        0
    ]
    return head is not None and head > last
