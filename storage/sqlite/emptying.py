"""Emptying a room for good, in a write transaction."""

from dataclasses import replace

from parley.storage.errors import EpochChanged, NotStored, PositionTaken
from parley.storage.models import Head, Room, RoomId, Timestamp
from parley.storage.sqlite import control
from parley.storage.sqlite.connection import WritingConnection


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
    connection.execute("DELETE FROM mentions WHERE room_id = ?", (room_id,))
    connection.execute("DELETE FROM log WHERE room_id = ?", (room_id,))
    connection.remember(room_id, Head(epoch=new_epoch, rev=0))


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
