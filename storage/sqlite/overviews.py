"""All rooms of one member at once, in SQLite: what is unread in each, and what was said last."""

import sqlite3
from collections.abc import Mapping, Sequence

from parley.storage.models import UNREAD_CAP, RoomId, RoomOverview, Unread, UserId
from parley.storage.sqlite import counting
from parley.storage.sqlite.records import (
    MEMBERSHIP,
    MESSAGE,
    ROOM,
    Row,
    columns,
    membership_from,
    message_from,
    room_from,
)

_UNREAD = counting.unread(
    "mine.room_id", "mine.user_id", "max(mine.read_seq, mine.visible_from_seq - 1)"
)
_LAST = (
    "(SELECT rev FROM log WHERE log.room_id = mine.room_id AND rev >= mine.visible_from_seq "
    f"AND {counting.SPOKEN} ORDER BY rev DESC LIMIT 1)"
)
_PEER = (
    "CASE rooms.type WHEN 'direct' THEN (SELECT user_id FROM members AS other "
    "WHERE other.room_id = mine.room_id AND other.user_id <> mine.user_id) END"
)
# One statement, as each costs as much as the lookup of a row; every part is a search in an index.
_OVERVIEWS = (
    f"SELECT {columns(MEMBERSHIP, 'mine')}, {columns(ROOM, 'rooms')}, "
    "(SELECT max(rev) FROM log WHERE log.room_id = mine.room_id), member_count, "
    f"{_UNREAD}, {_PEER}, {columns(MESSAGE, 'last')} "
    "FROM members AS mine JOIN rooms ON rooms.room_id = mine.room_id "
    f"LEFT JOIN log AS last ON last.room_id = mine.room_id AND last.rev = {_LAST} "
    "WHERE mine.user_id = :user_id AND mine.state = 'member' AND mine.room_id > :after "
    "ORDER BY mine.room_id LIMIT :limit"
)
_UNREAD_BY_ROOM = (
    f"SELECT mine.room_id, {_UNREAD} FROM members AS mine "
    "WHERE mine.user_id = :user_id AND mine.state = 'member'"
)
_ROOM_AT = len(MEMBERSHIP.split(","))
_HEAD_AT = _ROOM_AT + len(ROOM.split(","))
_LAST_AT = _HEAD_AT + 5


def overviews(
    connection: sqlite3.Connection, user_id: UserId, after: RoomId | None, limit: int
) -> Sequence[RoomOverview]:
    """See `MemberRepository.overviews`."""
    asked = {"user_id": user_id, "after": after or "", "limit": limit, "most": UNREAD_CAP}
    return [_overview(row) for row in connection.execute(_OVERVIEWS, asked).fetchall()]


def unread(connection: sqlite3.Connection, user_id: UserId) -> Mapping[RoomId, Unread]:
    """See `MemberRepository.unread`."""
    asked = {"user_id": user_id, "most": UNREAD_CAP}
    found = connection.execute(_UNREAD_BY_ROOM, asked).fetchall()
    return {
        room_id: Unread(count=count, mentions=mentions)
        for room_id, count, mentions in found
        if count or mentions
    }


def _overview(row: Row) -> RoomOverview:
    head, member_count, count, mentions, peer = row[_HEAD_AT:_LAST_AT]
    last = row[_LAST_AT:]
    return RoomOverview(
        membership=membership_from(row),
        room=room_from(row[_ROOM_AT:_HEAD_AT]),
        head=head or 0,
        member_count=member_count,
        unread=Unread(count=count, mentions=mentions),
        last_message=None if last[0] is None else message_from(last),
        peer=peer,
    )
