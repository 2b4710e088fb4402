"""What nodes tell one another on a room's channel of the bus: rows, and what is not kept.

An announcement is ``epoch.rev``: up to there are rows to be read. Behind it stand those rows, if
they are few, and which node wrote them, under a seal that only nodes have. Whoever has none, or is
told of rows without it, reads them from storage; a forged row would take the place of the real one.

What is at most once is JSON behind a ``~``, and under no seal: who can write to the bus can emit
to the room as well.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from parley.namespaces.chat.wire import Notice
from parley.namespaces.plain import is_plain
from parley.namespaces.seal import Seal
from parley.storage.models import Message, MessageType, Room, UserId

MOST_BYTES = 32_768  # of the rows in an announcement; what is more is read from storage

AT_MOST_ONCE = (Notice.TYPING, Notice.READ, Notice.SIGNAL)

_HEAD = re.compile(rb"([0-9a-f]{8})\.([0-9]{1,16})")


@dataclass(frozen=True, slots=True)
class Announcement:
    """That a room's log has rows up to ``rev``, which are in ``sealed`` or have to be read."""

    epoch: str
    rev: int
    sealed: bytes


@dataclass(frozen=True, slots=True)
class Written:
    """Rows that a node says it has written."""

    by: str  # its server_id
    rows: Sequence[Message]


@dataclass(frozen=True, slots=True)
class Ephemeral:
    """An event for everybody in the room, at most once."""

    origin: str  # the node that told its own sockets already
    event: str
    data: dict[str, Any]
    skip: UserId | None  # whose sockets do not get it

    @property
    def user_id(self) -> UserId:
        """Return who types, has read or signals; nobody, where it does not say."""
        return UserId(str(self.data.get("user_id", "")))


class Announcements:
    """Writes announcements and reads what others wrote."""

    def __init__(self, seal: Seal | None, *, server_id: str) -> None:
        """Tell rows under the nodes' seal; None: only that they exist."""
        self._seal = seal
        self.origin = server_id

    def of(self, room: Room, rev: int, rows: Sequence[Message]) -> bytes:
        """Return the announcement that ``rows`` exist, which end at ``rev``."""
        head = _head(room.epoch, rev)
        if self._seal is None or not rows:
            return head
        packed = orjson.dumps([self.origin, [_packed(row) for row in rows]])
        if len(packed) > MOST_BYTES:
            return head
        return b"%s %s" % (head, self._seal.seal(_place(room, head), packed))

    def ephemeral(self, event: Notice, data: dict[str, Any], *, skip: UserId | None) -> bytes:
        """Return an event that other nodes are to tell at most once, and not to ``skip``."""
        return b"~" + orjson.dumps([self.origin, event, data, skip])

    def rows_in(self, room: Room, announcement: Announcement) -> Written | None:
        """Return the rows that an announcement carries; None if no node of ours wrote them."""
        if self._seal is None:
            return None
        place = _place(room, _head(announcement.epoch, announcement.rev))
        packed = self._seal.open(place, announcement.sealed)
        if packed is None:
            return None
        by, rows = orjson.loads(packed)
        return Written(by, [_unpacked(room, fields) for fields in rows])


def read(payload: bytes) -> Announcement | Ephemeral | None:
    """Return what a payload says, None for one that no node can have written."""
    if payload.startswith(b"~"):
        return _ephemeral(payload[1:])
    head, _, sealed = payload.partition(b" ")
    found = _HEAD.fullmatch(head)
    return None if found is None else Announcement(found[1].decode(), int(found[2]), sealed)


def _ephemeral(text: bytes) -> Ephemeral | None:
    try:
        said = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    match said:
        case [str(origin), str(event), dict(data), str() | None as skip] if (
            event in AT_MOST_ONCE and is_plain(data)
        ):
            return Ephemeral(origin, event, data, None if skip is None else UserId(skip))
        case _:
            return None


def _head(epoch: str, rev: int) -> bytes:
    return f"{epoch}.{rev}".encode()


def _place(room: Room, head: bytes) -> bytes:
    return b"%s %s" % (room.id.encode(), head)


def _packed(row: Message) -> list[Any]:
    return [
        row.id,
        row.type,
        row.seq,
        row.rev,
        row.sender,
        row.to,
        row.client_id,
        row.content,
        row.metadata,
        row.created_at,
        row.edited_at,
        row.deleted,
        row.reactions or None,
    ]


def _unpacked(room: Room, fields: list[Any]) -> Message:
    return Message(
        room_id=room.id,
        id=fields[0],
        type=MessageType(fields[1]),
        seq=fields[2],
        rev=fields[3],
        sender=fields[4],
        to=fields[5],
        client_id=fields[6],
        content=fields[7],
        metadata=fields[8],
        created_at=fields[9],
        edited_at=fields[10],
        deleted=fields[11],
        reactions={emoji: tuple(users) for emoji, users in (fields[12] or {}).items()},
    )
