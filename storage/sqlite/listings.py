"""Lists of rooms in SQLite: those that everybody may find, and all of them."""

import sqlite3
from collections.abc import Sequence

from parley.storage.models import Room, RoomId, RoomListing
from parley.storage.naming import name_key
from parley.storage.sqlite.records import ROOM, room_from

# `listed` is the condition of the index, `name_key` and `room_id` are its columns: pages are
# read in its order, and names that do not match are passed over inside of it.
_LISTED = (
    f"SELECT {ROOM}, member_count, name_key FROM rooms "
    "WHERE listed AND (name_key, room_id) > (?, ?) AND instr(name_key, ?) > 0 "
    "ORDER BY name_key, room_id LIMIT ?"
)
_FROM_THE_START = ("", "")  # no id is empty, so it is below every key


def listed(
    connection: sqlite3.Connection, containing: str, after: tuple[str, RoomId] | None, limit: int
) -> Sequence[RoomListing]:
    """See `RoomRepository.listed`."""
    name, room_id = after or _FROM_THE_START
    found = connection.execute(_LISTED, (name, room_id, name_key(containing), limit)).fetchall()
    return [_listing(room_from(row), *row[-2:]) for row in found]


def page(connection: sqlite3.Connection, after: RoomId | None, limit: int) -> Sequence[Room]:
    """See `RoomRepository.page`."""
    found = connection.execute(
        f"SELECT {ROOM} FROM rooms WHERE room_id > ? AND NOT deleted ORDER BY room_id LIMIT ?",
        (after or "", limit),
    ).fetchall()
    return [room_from(row) for row in found]


def _listing(room: Room, member_count: int, key: str) -> RoomListing:
    return RoomListing(room=room, member_count=member_count, key=(key, room.id))
