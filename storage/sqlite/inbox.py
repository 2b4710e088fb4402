"""Rows of inboxes: adding notifications and changing them, inside a write transaction."""

import sqlite3
from collections.abc import Collection, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

import orjson

from parley.storage.models import ClientId, Timestamp, UserId
from parley.storage.notifications import (
    Added,
    Ending,
    Notification,
    NotificationDraft,
    NotificationId,
    PushTerms,
    created,
)
from parley.storage.sqlite.connection import WritingConnection
from parley.storage.sqlite.records import Row

NOTIFICATION = (
    "notification_id, user_id, seq, state_rev, content, created_at, expires_at, read, deleted"
)
READ = "read"  # the kind of a row that makes a notification read
EDIT = "edit"  # that of one since which it says something else

_FIRST = f"SELECT {NOTIFICATION} FROM inbox WHERE client_id = ? AND user_id = ?"
_CREATE = (
    "INSERT INTO inbox (user_id, rev, seq, kind, notification_id, created_at, client_id, "
    "state_rev, content, collapse_key, expires_at) VALUES (?, ?, ?, 'create', ?, ?, ?, ?, ?, ?, ?)"
)
_CHANGE = (
    "INSERT INTO inbox (user_id, rev, seq, kind, notification_id, created_at) "
    "VALUES (?, ?, ?, ?, ?, ?)"
)
_KEEP = "UPDATE inbox SET state_rev = ?{more} WHERE user_id = ? AND rev = ?"
_KEEP_READ = _KEEP.format(more=", read = 1")
_KEEP_EDIT = _KEEP.format(more="")
_KEEP_END = _KEEP.format(more=", deleted = 1, content = NULL")
_SAY = "UPDATE inbox SET content = ? WHERE user_id = ? AND rev = ?"
_PUSH = (
    "INSERT INTO pushes (notification_id, user_id, seq, due_at) SELECT ?, ?, ?, ? "
    "FROM push_count WHERE pushes < ?"
)
_COLLAPSED = (
    "SELECT user_id, seq, notification_id FROM inbox "
    "WHERE user_id = ? AND collapse_key = ? AND NOT deleted"
)
# By position where all are asked for, else by id; both take as many steps as rows are found.
_UNREAD = (
    "SELECT user_id, seq, notification_id FROM inbox WHERE user_id = ? AND rev <= ? "
    "AND kind = 'create' AND NOT deleted AND NOT read ORDER BY rev LIMIT ?"
)
_AMONG = (
    "SELECT user_id, seq, inbox.notification_id FROM json_each(?) AS wanted CROSS JOIN inbox "
    "ON inbox.user_id = ? AND inbox.notification_id = wanted.value AND kind = 'create' "
    "AND NOT deleted {only}GROUP BY seq ORDER BY seq LIMIT ?"
)
_EXPIRED = (
    "SELECT user_id, seq, notification_id FROM inbox "
    "WHERE expires_at IS NOT NULL AND expires_at <= ? AND NOT deleted "
    "ORDER BY expires_at LIMIT ?"
)
_AGED = (
    "SELECT user_id, seq, notification_id FROM inbox "
    "WHERE created_at < ? AND kind = 'create' AND NOT deleted ORDER BY created_at LIMIT ?"
)
_ENDED = (
    "SELECT user_id, seq FROM inbox AS row "
    "WHERE created_at < ? AND kind IN ('delete', 'expire', 'collapse') AND rev < "
    "(SELECT max(rev) FROM inbox WHERE inbox.user_id = row.user_id) ORDER BY created_at LIMIT ?"
)
_PURGE = "DELETE FROM inbox WHERE user_id = ? AND rev = ?"
_PURGE_CHANGES = (
    # Without its name the planner walks the whole inbox along the primary key.
    "DELETE FROM inbox INDEXED BY inbox_changes WHERE user_id = ? AND seq = ? AND kind <> 'create'"
)
_OF_CLIENT_ID = (
    "SELECT user_id, seq, notification_id FROM inbox "
    "WHERE client_id = ? AND NOT deleted {only}LIMIT ?"
)
_OF_THESE = "AND user_id IN (SELECT value FROM json_each(?)) "
_OF_CLIENT_IDS = (
    "SELECT user_id, seq, notification_id FROM json_each(?) AS wanted CROSS JOIN inbox "
    "ON client_id = wanted.value AND NOT deleted LIMIT ?"
)
_ALL = -1  # as a LIMIT


class Place(NamedTuple):
    """Where a notification stands."""

    user_id: UserId
    seq: int
    notification_id: NotificationId


def head(connection: sqlite3.Connection, user_id: UserId) -> int:
    """Return the newest position of an inbox, 0 if it has nothing."""
    found = connection.execute("SELECT max(rev) FROM inbox WHERE user_id = ?", (user_id,))
    rev: int | None = found.fetchone()[0]
    return rev or 0


def add(
    connection: WritingConnection,
    drafts: Sequence[NotificationDraft],
    push: PushTerms | None,
) -> Sequence[Added]:
    """See `NotificationRepository.add`."""
    return [_added(connection, draft, push) for draft in drafts]


def _added(
    connection: WritingConnection, draft: NotificationDraft, push: PushTerms | None
) -> Added:
    first = connection.execute(_FIRST, (draft.client_id, draft.user_id)).fetchone()
    if first is not None:
        return Added(notification=notification_from(first), duplicate=True)
    if draft.collapse_key is not None:
        found = connection.execute(_COLLAPSED, (draft.user_id, draft.collapse_key)).fetchall()
        older = [Place(*row) for row in found]
        change(connection, draft.user_id, older, kind=Ending.COLLAPSE.value, at=draft.created_at)
    notification = _created(connection, draft, head(connection, draft.user_id) + 1)
    if push is None:
        return Added(notification=notification)
    row = (draft.id, draft.user_id, notification.seq, push.due_at, push.most)
    entered = connection.execute(_PUSH, row).rowcount
    return Added(notification=notification, push_refused=not entered)


def _created(connection: WritingConnection, draft: NotificationDraft, rev: int) -> Notification:
    row = (
        draft.user_id,
        rev,
        rev,
        draft.id,
        draft.created_at,
        draft.client_id,
        rev,
        orjson.dumps(draft.content),
        draft.collapse_key,
        draft.expires_at,
    )
    connection.execute(_CREATE, row)
    return created(draft, rev)


def change(
    connection: WritingConnection,
    user_id: UserId,
    places: Sequence[Place],
    *,
    kind: str,
    at: Timestamp,
) -> None:
    """Append one row of ``kind`` for each notification, all of one inbox, and fold it."""
    keep = {READ: _KEEP_READ, EDIT: _KEEP_EDIT}.get(kind, _KEEP_END)
    revs = list(enumerate(places, head(connection, user_id) + 1))
    connection.executemany(
        _CHANGE, [(user_id, rev, p.seq, kind, p.notification_id, at) for rev, p in revs]
    )
    connection.executemany(keep, [(rev, user_id, p.seq) for rev, p in revs])


def unread(
    connection: WritingConnection,
    user_id: UserId,
    ids: Collection[NotificationId] | None,
    upto: int,
    limit: int,
) -> Sequence[Place]:
    """Return the oldest that were not read: those of ``ids``, or up to a position."""
    if ids is not None:
        return _among(connection, user_id, ids, "AND NOT read ", limit)
    found = connection.execute(_UNREAD, (user_id, upto, limit)).fetchall()
    return [Place(*row) for row in found]


def kept(
    connection: WritingConnection, user_id: UserId, ids: Collection[NotificationId]
) -> Sequence[Place]:
    """Return those of ``ids`` that have not ended."""
    return _among(connection, user_id, ids, "", _ALL)


def _among(
    connection: WritingConnection,
    user_id: UserId,
    ids: Collection[NotificationId],
    only: str,
    limit: int,
) -> Sequence[Place]:
    wanted = orjson.dumps(list(ids)).decode()
    found = connection.execute(_AMONG.format(only=only), (wanted, user_id, limit)).fetchall()
    return [Place(*row) for row in found]


def expire(
    connection: WritingConnection, now: Timestamp, made_before: Timestamp | None, limit: int
) -> Mapping[UserId, int]:
    """See `NotificationRepository.expire`."""
    found = connection.execute(_EXPIRED, (now, limit)).fetchall()
    if not found and made_before is not None:
        found = connection.execute(_AGED, (made_before, limit)).fetchall()
    return _change_all(connection, found, Ending.EXPIRE, now)


def purge(connection: WritingConnection, before: Timestamp, limit: int) -> int:
    """See `NotificationRepository.purge`."""
    going: list[Row] = connection.execute(_ENDED, (before, limit)).fetchall()
    for statement in (_PURGE, _PURGE_CHANGES):
        connection.executemany(statement, going)
    return len(going)


def retract(
    connection: WritingConnection,
    client_id: ClientId,
    among: Collection[UserId] | None,
    at: Timestamp,
    limit: int,
) -> Mapping[UserId, int]:
    """See `NotificationRepository.retract`."""
    if among is None:
        asked = connection.execute(_OF_CLIENT_ID.format(only=""), (client_id, limit))
    else:
        these = orjson.dumps(list(among)).decode()
        asked = connection.execute(_OF_CLIENT_ID.format(only=_OF_THESE), (client_id, these, limit))
    return _change_all(connection, asked.fetchall(), Ending.DELETE, at)


def retract_all(
    connection: WritingConnection, client_ids: Sequence[ClientId], at: Timestamp, limit: int
) -> int:
    """End at most ``limit`` notifications with one of these, and return how many."""
    wanted = orjson.dumps(client_ids).decode()
    found = connection.execute(_OF_CLIENT_IDS, (wanted, limit)).fetchall()
    _change_all(connection, found, Ending.DELETE, at)
    return len(found)


def revise(
    connection: WritingConnection,
    client_id: ClientId,
    among: Collection[UserId],
    says: bytes,
    at: Timestamp,
    limit: int,
) -> Mapping[UserId, int]:
    """See `NotificationRepository.revise`; ``says`` is the content."""
    these = orjson.dumps(list(among)).decode()
    others = _OF_CLIENT_ID.format(only=_OF_THESE + "AND content <> ? ")
    found = connection.execute(others, (client_id, these, says, limit)).fetchall()
    heads = _change_all(connection, found, EDIT, at)
    connection.executemany(_SAY, [(says, user_id, seq) for user_id, seq, _ in found])
    return heads


def _change_all(
    connection: WritingConnection, found: Sequence[Row], kind: str, at: Timestamp
) -> Mapping[UserId, int]:
    places = sorted(Place(*row) for row in found)
    heads: dict[UserId, int] = {}
    for user_id, group in groupby(places, key=lambda place: place.user_id):
        change(connection, user_id, list(group), kind=kind, at=at)
        heads[user_id] = head(connection, user_id)
    return heads


def notification_from(row: Row) -> Notification:
    """Return the notification in the columns of `NOTIFICATION`."""
    return Notification(
        id=row[0],
        user_id=row[1],
        seq=row[2],
        rev=row[3],
        content={} if row[4] is None else orjson.loads(row[4]),
        created_at=row[5],
        expires_at=row[6],
        read=bool(row[7]),
        deleted=bool(row[8]),
    )
