"""Emptying a room for good: at once for who looks at it, its rows a short step at a time.

Until its rows are gone a room's ``deleted`` is 1, then 2. No read shows them meanwhile: its
memberships have ended, its head is 0, and the rest is by `counting.undeleted`.
"""

from dataclasses import replace

from parley.storage.errors import EpochChanged, NotStored, PositionTaken
from parley.storage.models import Head, Room, RoomId, Timestamp
from parley.storage.notifications import told_of
from parley.storage.sqlite import control, inbox
from parley.storage.sqlite.connection import WritingConnection

_NEXT = "SELECT room_id, updated_at FROM rooms WHERE deleted = 1 LIMIT 1"
_REMOVE_MENTIONS = (
    "DELETE FROM mentions WHERE (room_id, user_id, seq) IN "
    "(SELECT room_id, user_id, seq FROM mentions WHERE room_id = ? LIMIT ?)"
)
_MESSAGES = (
    "SELECT message_id FROM (SELECT message_id, kind FROM log WHERE room_id = ? "
    "ORDER BY rev LIMIT ?) WHERE kind = 'create'"
)
_REMOVE_ROWS = (
    "DELETE FROM log WHERE (room_id, rev) IN "
    "(SELECT room_id, rev FROM log WHERE room_id = ? ORDER BY rev LIMIT ?)"
)


def empty(
    connection: WritingConnection,
    room_id: RoomId,
    expected: Head,
    new_epoch: str,
    at: Timestamp,
) -> None:
    """See `RoomRepository.delete`."""
    room = _room_at(connection, room_id, expected)
    control.keep_room(connection, _emptied(room, new_epoch, at))
    control.let_out_everyone(connection, room_id)
    connection.remember(room_id, Head(epoch=new_epoch, rev=0))


def sweep(connection: WritingConnection, limit: int) -> int:
    """See `RoomRepository.sweep`."""
    left = limit
    while left and (next_one := _next_to_sweep(connection)) is not None:
        room_id, at = next_one
        # First: while a row is there, what inboxes say of it is found.
        left -= _retract(connection, room_id, at, left)
        for statement in (_REMOVE_MENTIONS, _REMOVE_ROWS):
            left -= connection.execute(statement, (room_id, left)).rowcount
        if left:
            connection.execute("UPDATE rooms SET deleted = 2 WHERE room_id = ?", (room_id,))
    return limit - left


def _next_to_sweep(connection: WritingConnection) -> tuple[RoomId, Timestamp] | None:
    """Return a room that has rows, and when it was deleted."""
    found: tuple[RoomId, Timestamp] | None = connection.execute(_NEXT).fetchone()
    return found


def _retract(connection: WritingConnection, room_id: RoomId, at: Timestamp, limit: int) -> int:
    """End what inboxes say of the oldest ``limit`` rows, as far as that goes; return how many."""
    going = connection.execute(_MESSAGES, (room_id, limit)).fetchall()
    return inbox.retract_all(connection, [told_of(message) for (message,) in going], at, limit)


def _room_at(connection: WritingConnection, room_id: RoomId, expected: Head) -> Room:
    """Return the room if its log ends where it is expected to."""
    head = connection.head_in_file(room_id)
    room = control.room(connection, room_id)
    if head is None or room is None:
        raise NotStored(f"there is no room {room_id}")
    if head.epoch != expected.epoch:
        raise EpochChanged(f"{room_id}: the epoch is {head.epoch}, not {expected.epoch}")
    if room.deleted:
        raise NotStored(f"the room {room_id} is deleted")
    if head.rev != expected.rev:
        raise PositionTaken(room_id, expected.rev, head.rev)
    return room


def _emptied(room: Room, epoch: str, at: Timestamp) -> Room:
    """Return what is kept of ``room``: that there was one, and whose it was."""
    return replace(
        room,
        name="",
        description=None,
        settings={},
        rev=0,
        epoch=epoch,
        log_floor=0,
        deleted=True,
        updated_at=at,
    )
