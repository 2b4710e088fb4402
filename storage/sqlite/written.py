"""What one user said, in all rooms that another can read, in SQLite."""

import sqlite3
from collections.abc import Sequence

from parley.storage.models import Message, MessageId, UserId
from parley.storage.sqlite.counting import SPOKEN
from parley.storage.sqlite.records import MESSAGE, columns, message_from

_IN_ROOM = (
    "FROM log AS own INDEXED BY spoken_by_author "
    "WHERE own.room_id = mine.room_id AND own.sender = :author AND own.message_id < :before "
    f"AND own.rev >= mine.visible_from_seq AND own.{SPOKEN} AND NOT own.deleted "
    "ORDER BY own.message_id DESC"
)
# The newest messages are in the rooms with the newest messages: as many rooms as messages are
# enough, and of each as many again. So it costs the same in a room with a million of them.
_ROOMS = (
    "SELECT room_id, visible_from_seq, "
    f"(SELECT own.message_id {_IN_ROOM} LIMIT 1) AS newest FROM members AS mine "
    "WHERE user_id = :reader AND state = 'member' ORDER BY newest DESC LIMIT :limit"
)
_WRITTEN_BY = (
    f"WITH mine AS ({_ROOMS}) SELECT {columns(MESSAGE, 'log')} "
    "FROM mine CROSS JOIN log ON log.room_id = mine.room_id "
    f"AND log.rev IN (SELECT own.rev {_IN_ROOM} LIMIT :limit) "
    "ORDER BY log.message_id DESC LIMIT :limit"
)
_ABOVE_EVERY_ID = "~"


def written_by(
    connection: sqlite3.Connection,
    author: UserId,
    reader: UserId,
    before: MessageId | None,
    limit: int,
) -> Sequence[Message]:
    """See `MessageRepository.written_by`."""
    asked = {
        "author": author,
        "reader": reader,
        "before": before or _ABOVE_EVERY_ID,
        "limit": limit,
    }
    return [message_from(row) for row in connection.execute(_WRITTEN_BY, asked).fetchall()]
