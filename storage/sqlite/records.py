"""Records to rows and back."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import orjson

from parley.storage.errors import StorageError
from parley.storage.models import (
    JSON,
    Membership,
    MemberState,
    Message,
    MessageType,
    Role,
    Room,
    RoomType,
    UserId,
)
from parley.storage.naming import is_listed, name_key

Row = tuple[Any, ...]

MESSAGE = (
    "room_id, seq, state_rev, message_id, type, sender, recipient, client_id, content, "
    "metadata, created_at, edited_at, deleted, reactions"
)
ROOM = (
    "room_id, name, type, description, owner, created_at, updated_at, rev, epoch, log_floor, "
    "settings, deleted"
)
ROOM_ROW = f"{ROOM}, name_key, listed"  # and what it is found by
MEMBERSHIP = (
    "room_id, user_id, role, state, visible_from_seq, joined_rev, joined_at, read_seq, muted_until"
)

_TYPES = {type_.value: type_ for type_ in MessageType}  # a fifth of the time of `MessageType(…)`

T = TypeVar("T")


def existing(record: T | None) -> T:
    """Return a record that the same transaction has just written."""
    if record is None:
        raise StorageError("a row that was written is not there")
    return record


def marks(names: str) -> str:
    """Return a question mark for each of the column names."""
    return ", ".join("?" for _ in names.split(","))


def columns(names: str, table: str) -> str:
    """Return a list of column names with their table before each."""
    return ", ".join(f"{table}.{name}" for name in names.split(", "))


def encoded(value: JSON | None) -> bytes | None:
    """Return JSON for the file; what is absent stays absent."""
    return None if value is None else orjson.dumps(value)


def encoded_reactions(reactions: Mapping[str, Sequence[UserId]]) -> bytes | None:
    """Return JSON for the file; most messages have none and take no bytes."""
    return orjson.dumps(reactions) if reactions else None


def _decoded(value: bytes | None) -> dict[str, Any]:
    return {} if value is None else orjson.loads(value)


def message_from(row: Row) -> Message:
    """Return the message in the columns of `MESSAGE`."""
    return Message(
        room_id=row[0],
        seq=row[1],
        rev=row[2],
        id=row[3],
        type=_TYPES[row[4]],
        sender=row[5],
        to=row[6],
        client_id=row[7],
        content=_decoded(row[8]),
        metadata=None if row[9] is None else orjson.loads(row[9]),
        created_at=row[10],
        edited_at=row[11],
        deleted=bool(row[12]),
        reactions={emoji: tuple(users) for emoji, users in _decoded(row[13]).items()},
    )


def room_from(row: Row) -> Room:
    """Return the room in the columns of `ROOM`."""
    return Room(
        id=row[0],
        name=row[1],
        type=RoomType(row[2]),
        description=row[3],
        owner=row[4],
        created_at=row[5],
        updated_at=row[6],
        rev=row[7],
        epoch=row[8],
        log_floor=row[9],
        settings=orjson.loads(row[10]),
        deleted=bool(row[11]),
    )


def row_of_room(room: Room) -> Row:
    """Return the columns of `ROOM_ROW`."""
    return (
        room.id,
        room.name,
        room.type,
        room.description,
        room.owner,
        room.created_at,
        room.updated_at,
        room.rev,
        room.epoch,
        room.log_floor,
        orjson.dumps(room.settings),
        room.deleted,
        name_key(room.name),
        is_listed(room),
    )


def membership_from(row: Row) -> Membership:
    """Return the membership in the columns of `MEMBERSHIP`."""
    return Membership(
        room_id=row[0],
        user_id=row[1],
        role=Role(row[2]),
        state=MemberState(row[3]),
        visible_from_seq=row[4],
        joined_rev=row[5],
        joined_at=row[6],
        read_seq=row[7],
        muted_until=row[8],
    )


def row_of_membership(membership: Membership) -> Row:
    """Return the columns of `MEMBERSHIP`."""
    return (
        membership.room_id,
        membership.user_id,
        membership.role,
        membership.state,
        membership.visible_from_seq,
        membership.joined_rev,
        membership.joined_at,
        membership.read_seq,
        membership.muted_until,
    )
