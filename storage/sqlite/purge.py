"""Removing the old part of a log, a short step at a time, in a write transaction.

The log is gone through once, in its order, from ``log_floor`` on. What is at or below the floor
afterwards is only messages that were changed above it, each without its old rows.
"""

from collections.abc import Sequence
from itertools import takewhile
from typing import NamedTuple

import orjson

from parley.storage.models import Purged, RoomId, Timestamp, UserId
from parley.storage.sqlite import control, rows
from parley.storage.sqlite.connection import WritingConnection

_NEXT = (
    "SELECT row.rev, row.seq, row.created_at, message.state_rev, message.sender, message.content "
    "FROM rooms CROSS JOIN log AS row ON row.room_id = rooms.room_id AND row.rev > log_floor "
    "JOIN log AS message ON message.room_id = row.room_id AND message.rev = row.seq "
    "WHERE rooms.room_id = ? ORDER BY row.rev LIMIT ?"
)


class _Row(NamedTuple):
    rev: int
    seq: int
    created_at: Timestamp
    state_rev: int  # of its message, as are sender and content
    sender: UserId
    content: bytes

    @property
    def is_newest(self) -> bool:
        """Whether its message was not changed later, so that it goes too."""
        return self.rev == self.state_rev


def step(connection: WritingConnection, room_id: RoomId, before: Timestamp, limit: int) -> Purged:
    """See `MessageRepository.purge`."""
    old = _old(connection, room_id, before, limit + 1)  # one more: is there more?
    going = old[:limit]
    if going:
        connection.execute(
            "UPDATE rooms SET log_floor = ? WHERE room_id = ?", (going[-1].rev, room_id)
        )
        _remove(connection, room_id, going)
    room = control.room(connection, room_id)
    return Purged(
        removed=sum(row.is_newest for row in going),
        log_floor=room.log_floor if room is not None else 0,
        more=len(old) > limit,
    )


def _old(
    connection: WritingConnection, room_id: RoomId, before: Timestamp, limit: int
) -> Sequence[_Row]:
    """Return the next rows that are old enough, as far as they come one after the other."""
    head = connection.head_in_file(room_id)
    found = [_Row(*row) for row in connection.execute(_NEXT, (room_id, limit)).fetchall()]
    return list(
        takewhile(
            lambda row: head is not None and row.rev < head.rev and row.created_at < before, found
        )
    )


def _remove(connection: WritingConnection, room_id: RoomId, going: Sequence[_Row]) -> None:
    messages = [row for row in going if row.is_newest]
    # A create row is its message, so it stays as long as that; any other row has had its effect.
    revs = {row.rev for row in going if row.rev != row.seq} | {row.seq for row in messages}
    connection.executemany(
        "DELETE FROM log WHERE room_id = ? AND rev = ?", [(room_id, rev) for rev in revs]
    )
    for row in messages:
        content = orjson.loads(row.content)
        rows.unmention(connection, rows.mentions_in(content, room_id, row.sender, row.seq))
