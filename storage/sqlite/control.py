"""Rooms and memberships in a write transaction: what control rows fold into."""

import sqlite3
from functools import partial

from parley.storage import fold
from parley.storage.models import Membership, Message, Room, RoomId, UserId
from parley.storage.sqlite.records import (
    MEMBERSHIP,
    ROOM,
    ROOM_ROW,
    marks,
    membership_from,
    room_from,
    row_of_membership,
    row_of_room,
)

# Not REPLACE: member_count is not of the room's own data, and stays.
_KEEP_ROOM = (
    f"INSERT INTO rooms ({ROOM_ROW}) VALUES ({marks(ROOM_ROW)}) "
    "ON CONFLICT (room_id) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in ROOM_ROW.split(", ")[1:])
)
_COUNT = "UPDATE rooms SET member_count = member_count + ? WHERE room_id = ?"
_KEEP_MEMBER = f"INSERT OR REPLACE INTO members ({MEMBERSHIP}) VALUES ({marks(MEMBERSHIP)})"
_RAISE_ALL_REVISIONS = (
    "INSERT INTO membership_revisions SELECT user_id, 1 FROM members WHERE room_id = ? "
    "ON CONFLICT (user_id) DO UPDATE SET revision = revision + 1"
)
_RAISE_REVISION = (
    "INSERT INTO membership_revisions VALUES (?, 1) "
    "ON CONFLICT (user_id) DO UPDATE SET revision = revision + 1"
)


def apply(connection: sqlite3.Connection, message: Message) -> None:
    """Fold one control message into its room and the memberships it changes."""
    before = room(connection, message.room_id)
    if before is None:
        raise LookupError(f"a control row in {message.room_id}, which does not exist")
    after = fold.room_after(before, message)
    if after != before:
        keep_room(connection, after)
    of = partial(membership, connection, after.id)
    # All of them before the first is written: each follows from what was.
    for user_id, changed in list(fold.memberships_after(after, of, message)):
        _count(connection, after.id, of(user_id), changed)
        _keep_membership(connection, after.id, user_id, changed)


def room(connection: sqlite3.Connection, room_id: RoomId) -> Room | None:
    """Return one room."""
    row = connection.execute(f"SELECT {ROOM} FROM rooms WHERE room_id = ?", (room_id,)).fetchone()
    return room_from(row) if row else None


def keep_room(connection: sqlite3.Connection, room: Room) -> None:
    """Store the room's present state."""
    connection.execute(_KEEP_ROOM, row_of_room(room))


def membership(
    connection: sqlite3.Connection, room_id: RoomId, user_id: UserId
) -> Membership | None:
    """Return one membership."""
    row = connection.execute(
        f"SELECT {MEMBERSHIP} FROM members WHERE room_id = ? AND user_id = ?",
        (room_id, user_id),
    ).fetchone()
    return membership_from(row) if row else None


def let_out_everyone(connection: sqlite3.Connection, room_id: RoomId) -> None:
    """End every membership of a room, whatever its state."""
    connection.execute(_RAISE_ALL_REVISIONS, (room_id,))
    connection.execute("DELETE FROM members WHERE room_id = ?", (room_id,))
    connection.execute("UPDATE rooms SET member_count = 0 WHERE room_id = ?", (room_id,))


def _count(
    connection: sqlite3.Connection,
    room_id: RoomId,
    before: Membership | None,
    after: Membership | None,
) -> None:
    was, is_ = (m is not None and m.is_member for m in (before, after))
    if was is not is_:
        connection.execute(_COUNT, (1 if is_ else -1, room_id))


def _keep_membership(
    connection: sqlite3.Connection, room_id: RoomId, user_id: UserId, after: Membership | None
) -> None:
    if after is None:
        connection.execute(
            "DELETE FROM members WHERE room_id = ? AND user_id = ?", (room_id, user_id)
        )
    else:
        connection.execute(_KEEP_MEMBER, row_of_membership(after))
    connection.execute(_RAISE_REVISION, (user_id,))
