"""What nodes tell one another on a room's channel of the bus: rows, and what is not kept.

An announcement is ``epoch.rev``: up to there are rows to be read. Behind it stand those rows, if
they are few, under a code that only nodes can make. Whoever has no key, or is told of rows by
somebody who has none, reads them from storage; a forged row would take the place of the real one.

What is at most once is JSON behind a ``~``, and under no code: who can write to the bus can emit
to the room as well.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from parley.namespaces.chat.wire import Notice
from parley.namespaces.plain import is_plain
from parley.storage.models import Message, MessageType, Room, UserId

MOST_BYTES = 32_768  # of the rows in an announcement; what is more is read from storage

AT_MOST_ONCE = (Notice.TYPING, Notice.READ, Notice.SIGNAL)

_HEAD = re.compile(rb"([0-9a-f]{8})\.([0-9]{1,16})")
_CODE_BYTES = 16


@dataclass(frozen=True, slots=True)
class Announcement:
    """That a room's log has rows up to ``rev``, which are in ``rows`` or have to be read."""

    epoch: str
    rev: int
    rows: bytes


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

    def __init__(self, key: bytes | None) -> None:
        """Tell rows under ``key``, which all nodes have; None: only that they exist."""
        self._key = key
        self.origin = secrets.token_hex(8)

    def of(self, room: Room, rev: int, rows: Sequence[Message]) -> bytes:
        """Return the announcement that ``rows`` exist, which end at ``rev``."""
        head = f"{room.epoch}.{rev}".encode()
        if self._key is None or not rows:
            return head
        packed = orjson.dumps([_packed(row) for row in rows])
        if len(packed) > MOST_BYTES:
            return head
        return b"%s %s%s" % (head, self._code(room, head, packed), packed)

    def ephemeral(self, event: Notice, data: dict[str, Any], *, skip: UserId | None) -> bytes:
        """Return an event that other nodes are to tell at most once, and not to ``skip``."""
        return b"~" + orjson.dumps([self.origin, event, data, skip])

    def rows_in(self, room: Room, announcement: Announcement) -> Sequence[Message]:
        """Return the rows that an announcement carries; none if no node of ours wrote them."""
        code, packed = announcement.rows[:_CODE_BYTES], announcement.rows[_CODE_BYTES:]
        if self._key is None or not packed:
            return ()
        head = f"{announcement.epoch}.{announcement.rev}".encode()
        if not hmac.compare_digest(code, self._code(room, head, packed)):
            return ()
        return [_unpacked(room, fields) for fields in orjson.loads(packed)]

    def _code(self, room: Room, head: bytes, packed: bytes) -> bytes:
        code = hashlib.blake2b(room.id.encode(), key=self._key or b"", digest_size=_CODE_BYTES)
        code.update(b" %s " % head)
        code.update(packed)
        return code.digest()


def read(payload: bytes) -> Announcement | Ephemeral | None:
    """Return what a payload says, None for one that no node can have written."""
    if payload.startswith(b"~"):
        return _ephemeral(payload[1:])
    head, _, rows = payload.partition(b" ")
    found = _HEAD.fullmatch(head)
    return None if found is None else Announcement(found[1].decode(), int(found[2]), rows)


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
