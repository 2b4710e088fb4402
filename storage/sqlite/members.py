"""Memberships and read marks in SQLite."""

import sqlite3
from collections.abc import Collection, Mapping, Sequence

import orjson

from parley.storage.models import (
    WAITING_CAP,
    Head,
    Membership,
    MemberState,
    Role,
    Room,
    RoomId,
    RoomOverview,
    Unread,
    UserId,
)
from parley.storage.sqlite import control, overviews
from parley.storage.sqlite.database import Database
from parley.storage.sqlite.records import (
    MEMBERSHIP,
    ROOM,
    columns,
    membership_from,
    room_from,
)

_OF_USER = (
    f"SELECT {columns(MEMBERSHIP, 'members')}, {columns(ROOM, 'rooms')}, "
    "(SELECT max(rev) FROM log WHERE log.room_id = rooms.room_id) "
    "FROM members JOIN rooms ON rooms.room_id = members.room_id "
    "WHERE members.user_id = ? AND members.state = ? ORDER BY members.room_id"
)
# By state first, which is the order of the index: who is invited to more rooms than are looked
# at does not have all of them sorted.
_WAITING = (
    f"SELECT {columns(MEMBERSHIP, 'members')}, {columns(ROOM, 'rooms')}, member_count "
    "FROM members JOIN rooms ON rooms.room_id = members.room_id "
    "WHERE members.user_id = ? AND members.state IN ('invited', 'pending') "
    "ORDER BY members.state, members.room_id LIMIT ?"
)
_OF_ROOM = (
    f"SELECT {columns(MEMBERSHIP, 'members')}, name "
    "FROM members LEFT JOIN users ON users.user_id = members.user_id "
    "WHERE room_id = ? AND members.user_id > ? AND state = ? ORDER BY members.user_id LIMIT ?"
)
_WIDTH = len(MEMBERSHIP.split(","))
_HEAD = "(SELECT max(rev) FROM log WHERE room_id = :room_id)"
# What is not raised is not written either, so reading the same again costs no sync to disk.
_RAISE = (
    f"UPDATE members SET read_seq = min(:seq, {_HEAD}) "
    "WHERE room_id = :room_id AND user_id = :user_id AND state = 'member' "
    f"AND read_seq < min(:seq, {_HEAD})"
)
# By the primary key, as many steps as rooms are asked for; not through all of the user's rooms.
_AMONG = (
    f"SELECT {columns(MEMBERSHIP, 'members')} FROM json_each(?) AS wanted CROSS JOIN members "
    "ON members.room_id = wanted.value AND members.user_id = ?"
)
# By the rooms of each of the others, to stop at the first that is shared.
_SHARING = (
    "SELECT wanted.value FROM json_each(:others) AS wanted WHERE EXISTS ("
    "SELECT 1 FROM members AS theirs CROSS JOIN members AS mine "
    "ON mine.room_id = theirs.room_id AND mine.user_id = :user_id AND mine.state = 'member' "
    "WHERE theirs.user_id = wanted.value AND theirs.state = 'member')"
)
_NEIGHBOURS = (
    "SELECT DISTINCT theirs.user_id FROM members AS mine CROSS JOIN members AS theirs "
    "ON theirs.room_id = mine.room_id AND theirs.state = 'member' "
    "WHERE mine.user_id = ? AND mine.state = 'member'"
)
_REVISIONS = (
    "SELECT wanted.value, revision FROM json_each(?) AS wanted "
    "LEFT JOIN membership_revisions ON user_id = wanted.value"
)


class SqliteMembers:
    """See `MemberRepository`."""

    def __init__(self, database: Database) -> None:
        """Keep memberships in ``database``."""
        self._database = database

    async def of_user(self, user_id: UserId) -> Sequence[tuple[Membership, Room, Head]]:
        """See `MemberRepository`."""

        def query(connection: sqlite3.Connection) -> list[tuple[Membership, Room, Head]]:
            found = connection.execute(_OF_USER, (user_id, MemberState.MEMBER.value)).fetchall()
            return [_member_room_head(row) for row in found]

        return await self._database.read(query)

    async def waiting(self, user_id: UserId) -> Sequence[tuple[Membership, Room, int]]:
        """See `MemberRepository`."""

        def query(connection: sqlite3.Connection) -> list[tuple[Membership, Room, int]]:
            found = connection.execute(_WAITING, (user_id, WAITING_CAP)).fetchall()
            return [(membership_from(row), room_from(row[_WIDTH:-1]), row[-1]) for row in found]

        return await self._database.read(query)

    async def of_room(
        self, room_id: RoomId, *, state: MemberState, after: UserId | None = None, limit: int
    ) -> Sequence[tuple[Membership, str | None]]:
        """See `MemberRepository`."""
        asked = (room_id, after or "", state.value, limit)

        def query(connection: sqlite3.Connection) -> list[tuple[Membership, str | None]]:
            found = connection.execute(_OF_ROOM, asked).fetchall()
            return [(membership_from(row), row[-1]) for row in found]

        return await self._database.read(query)

    async def overviews(
        self, user_id: UserId, *, after: RoomId | None = None, limit: int
    ) -> Sequence[RoomOverview]:
        """See `MemberRepository`."""
        return await self._database.read(
            lambda connection: overviews.overviews(connection, user_id, after, limit)
        )

    async def unread(self, user_id: UserId) -> Mapping[RoomId, Unread]:
        """See `MemberRepository`."""
        return await self._database.read(lambda connection: overviews.unread(connection, user_id))

    async def count(self, user_id: UserId, *, owned: bool = False) -> int:
        """See `MemberRepository`."""

        def query(connection: sqlite3.Connection) -> int:
            count: int = connection.execute(
                "SELECT count(*) FROM members WHERE user_id = ? AND state = ? "
                "AND (role = ? OR NOT ?)",
                (user_id, MemberState.MEMBER.value, Role.OWNER.value, owned),
            ).fetchone()[0]
            return count

        return await self._database.read(query)

    async def revisions(self, user_ids: Collection[UserId]) -> Mapping[UserId, int]:
        """See `MemberRepository`."""
        wanted = orjson.dumps(list(user_ids)).decode()

        def query(connection: sqlite3.Connection) -> dict[UserId, int]:
            found = connection.execute(_REVISIONS, (wanted,)).fetchall()
            return {user_id: revision or 0 for user_id, revision in found}

        return await self._database.read(query)

    async def get(self, room_id: RoomId, user_id: UserId) -> Membership | None:
        """See `MemberRepository`."""
        return await self._database.read(
            lambda connection: control.membership(connection, room_id, user_id)
        )

    async def among(
        self, user_id: UserId, room_ids: Collection[RoomId]
    ) -> Mapping[RoomId, Membership]:
        """See `MemberRepository`."""
        wanted = orjson.dumps(list(room_ids)).decode()

        def query(connection: sqlite3.Connection) -> dict[RoomId, Membership]:
            found = map(membership_from, connection.execute(_AMONG, (wanted, user_id)).fetchall())
            return {membership.room_id: membership for membership in found}

        return await self._database.read(query)

    async def sharing(self, user_id: UserId, others: Collection[UserId]) -> Collection[UserId]:
        """See `MemberRepository`."""
        asked = {"user_id": user_id, "others": orjson.dumps(list(others)).decode()}
        return await self._database.read(
            lambda connection: {row[0] for row in connection.execute(_SHARING, asked)}
        )

    async def neighbours(self, user_id: UserId) -> Collection[UserId]:
        """See `MemberRepository`."""
        return await self._database.read(
            lambda connection: {row[0] for row in connection.execute(_NEIGHBOURS, (user_id,))}
        )

    async def mark_read(self, room_id: RoomId, user_id: UserId, seq: int) -> int:
        """See `MemberRepository`."""

        def job(connection: sqlite3.Connection) -> int:
            connection.execute(_RAISE, {"room_id": room_id, "user_id": user_id, "seq": seq})
            membership = control.membership(connection, room_id, user_id)
            return membership.read_seq if membership and membership.is_member else 0

        return await self._database.write(job)


def _member_room_head(row: tuple[object, ...]) -> tuple[Membership, Room, Head]:
    room = room_from(row[_WIDTH:-1])
    rev = row[-1]
    return (
        membership_from(row[:_WIDTH]),
        room,
        Head(epoch=room.epoch, rev=rev if isinstance(rev, int) else 0, log_floor=room.log_floor),
    )
