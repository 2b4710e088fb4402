"""The inbox of every user in SQLite."""

import sqlite3
from collections.abc import Collection, Mapping, Sequence
from functools import partial

import orjson

from parley.storage.models import JSON, UNREAD_CAP, ClientId, Head, Timestamp, UserId
from parley.storage.notifications import (
    Added,
    Ending,
    InboxPage,
    Notification,
    NotificationDraft,
    NotificationId,
    PushTerms,
)
from parley.storage.sqlite import inbox
from parley.storage.sqlite.connection import WritingConnection
from parley.storage.sqlite.database import Database
from parley.storage.sqlite.inbox import NOTIFICATION, notification_from
from parley.storage.sqlite.records import columns

_STRETCH = (
    "SELECT count(*), max(rev) FROM "
    "(SELECT rev FROM inbox WHERE user_id = ? AND rev > ? ORDER BY rev LIMIT ?)"
)
# A notification is in the stretch where its newest row is, and comes once, in the present state.
_CHANGED = (
    f"SELECT {columns(NOTIFICATION, 'made')} FROM inbox AS row JOIN inbox AS made "
    "ON made.user_id = row.user_id AND made.rev = row.seq "
    "WHERE row.user_id = ? AND row.rev > ? AND row.rev <= ? AND made.state_rev = row.rev "
    "ORDER BY row.rev"
)
_LISTED = (
    f"SELECT {NOTIFICATION} FROM inbox WHERE user_id = ? AND rev < ? AND kind = 'create' "
    "AND NOT deleted {only}ORDER BY rev DESC LIMIT ?"
)
_UNREAD = (
    # Without its name the planner walks the whole inbox along the primary key.
    "SELECT count(*) FROM (SELECT 1 FROM inbox INDEXED BY inbox_unread "
    "WHERE user_id = ? AND kind = 'create' AND NOT deleted AND NOT read LIMIT ?)"
)
_HEADS = (
    "SELECT wanted.value, epoch, "
    "(SELECT max(rev) FROM inbox WHERE inbox.user_id = wanted.value) "
    "FROM inbox_epoch CROSS JOIN json_each(?) AS wanted"
)
_HOLDERS = "SELECT user_id FROM inbox WHERE client_id = ? AND NOT deleted"
_ALL = -1  # as a LIMIT
_END = 1 << 62  # beyond every position


class SqliteNotifications:
    """See `NotificationRepository`."""

    def __init__(self, database: Database) -> None:
        """Keep inboxes in ``database``."""
        self._database = database

    async def add(
        self, drafts: Sequence[NotificationDraft], *, push: PushTerms | None = None
    ) -> Sequence[Added]:
        """See `NotificationRepository`."""
        return await self._database.write(partial(inbox.add, drafts=drafts, push=push))

    async def mark_read(
        self,
        user_id: UserId,
        *,
        ids: Collection[NotificationId] | None = None,
        upto: int | None = None,
        at: Timestamp,
        limit: int,
    ) -> int:
        """See `NotificationRepository`."""

        def job(connection: WritingConnection) -> int:
            found = inbox.unread(connection, user_id, ids, _END if upto is None else upto, limit)
            inbox.change(connection, user_id, found, kind=inbox.READ, at=at)
            return len(found)

        return await self._database.write(job)

    async def end(
        self, user_id: UserId, ids: Collection[NotificationId], *, how: Ending, at: Timestamp
    ) -> int:
        """See `NotificationRepository`."""

        def job(connection: WritingConnection) -> int:
            found = inbox.kept(connection, user_id, ids)
            inbox.change(connection, user_id, found, kind=how.value, at=at)
            return len(found)

        return await self._database.write(job)

    async def expire(
        self, *, now: Timestamp, made_before: Timestamp | None = None, limit: int
    ) -> Mapping[UserId, int]:
        """See `NotificationRepository`."""
        return await self._database.write(
            partial(inbox.expire, now=now, made_before=made_before, limit=limit)
        )

    async def purge(self, *, before: Timestamp, limit: int) -> int:
        """See `NotificationRepository`."""
        return await self._database.write(partial(inbox.purge, before=before, limit=limit))

    async def holders(self, client_id: ClientId) -> Collection[UserId]:
        """See `NotificationRepository`."""
        return await self._database.read(
            lambda connection: {row[0] for row in connection.execute(_HOLDERS, (client_id,))}
        )

    async def retract(
        self,
        client_id: ClientId,
        *,
        among: Collection[UserId] | None = None,
        at: Timestamp,
        limit: int,
    ) -> Mapping[UserId, int]:
        """See `NotificationRepository`."""
        return await self._database.write(
            partial(inbox.retract, client_id=client_id, among=among, at=at, limit=limit)
        )

    async def revise(
        self,
        client_id: ClientId,
        *,
        among: Collection[UserId],
        content: JSON,
        at: Timestamp,
        limit: int,
    ) -> Mapping[UserId, int]:
        """See `NotificationRepository`."""
        says = orjson.dumps(content)
        return await self._database.write(
            partial(inbox.revise, client_id=client_id, among=among, says=says, at=at, limit=limit)
        )

    async def heads(self, user_ids: Collection[UserId]) -> Mapping[UserId, Head]:
        """See `NotificationRepository`."""
        wanted = orjson.dumps(list(user_ids)).decode()

        def query(connection: sqlite3.Connection) -> dict[UserId, Head]:
            found = connection.execute(_HEADS, (wanted,)).fetchall()
            return {user_id: Head(epoch=epoch, rev=rev or 0) for user_id, epoch, rev in found}

        return await self._database.read(query)

    async def changes(self, user_id: UserId, *, after: int, limit: int | None = None) -> InboxPage:
        """See `NotificationRepository`."""

        def query(connection: sqlite3.Connection) -> InboxPage:
            stretch = (user_id, after, _ALL if limit is None else limit)
            count, last = connection.execute(_STRETCH, stretch).fetchone()
            if not count:
                return InboxPage(notifications=(), last=after, more=False)
            changed = connection.execute(_CHANGED, (user_id, after, last)).fetchall()
            return InboxPage(
                notifications=tuple(map(notification_from, changed)),
                last=last,
                more=inbox.head(connection, user_id) > last,
                dense=count == last - after,
            )

        return await self._database.read(query)

    async def listed(
        self, user_id: UserId, *, before: int | None = None, unread: bool = False, limit: int
    ) -> Sequence[Notification]:
        """See `NotificationRepository`."""
        statement = _LISTED.format(only="AND NOT read " if unread else "")
        asked = (user_id, _END if before is None else before, limit)
        return await self._database.read(
            lambda connection: [
                notification_from(row) for row in connection.execute(statement, asked).fetchall()
            ]
        )

    async def unread(self, user_id: UserId) -> int:
        """See `NotificationRepository`."""

        def query(connection: sqlite3.Connection) -> int:
            count: int = connection.execute(_UNREAD, (user_id, UNREAD_CAP)).fetchone()[0]
            return count

        return await self._database.read(query)
