"""Single rows of a log: putting one at a position, and folding it, inside a write transaction."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import orjson

from parley.storage import fold
from parley.storage.errors import NotStored
from parley.storage.models import (
    JSON,
    ClientId,
    Draft,
    Duplicate,
    Head,
    Message,
    MessageId,
    Outcome,
    RoomId,
    RowKind,
    Stored,
    UserId,
)
from parley.storage.sqlite import control, counting
from parley.storage.sqlite.connection import WritingConnection
from parley.storage.sqlite.records import (
    MESSAGE,
    Row,
    columns,
    encoded,
    encoded_reactions,
    existing,
    message_from,
)

_CREATE_COLUMNS = (
    "room_id, rev, seq, kind, message_id, sender, client_id, digest, created_at, "
    "type, recipient, state_rev, content, metadata"
)
_CREATE_VALUES = f"({', '.join('?' for _ in _CREATE_COLUMNS.split(','))})"
_UNLESS_DUPLICATE = " ON CONFLICT (room_id, sender, client_id) DO NOTHING"
_CHANGE = (
    "INSERT INTO log "
    "(room_id, rev, seq, kind, message_id, sender, client_id, digest, created_at, delta) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)" + _UNLESS_DUPLICATE
)


_FIRST = (
    f"SELECT first.rev, first.digest, first.created_at, {columns(MESSAGE, 'message')} "
    "FROM log AS first JOIN log AS message "
    "ON message.room_id = first.room_id AND message.rev = first.seq "
    f"WHERE first.room_id = {counting.undeleted('?')} "
    "AND first.sender = ? AND first.client_id = ?"
)


def create_statement(n: int) -> str:
    """Return the statement that inserts ``n`` rows of `row_of_create`."""
    return f"INSERT OR FAIL INTO log ({_CREATE_COLUMNS}) VALUES " + ", ".join([_CREATE_VALUES] * n)


_CREATE_ONE = create_statement(1) + _UNLESS_DUPLICATE


def row_of_create(room_id: RoomId, draft: Draft, rev: int) -> Row:
    """Return the row that adds a message at ``rev``."""
    # .value: sqlite3 looks for an adapter for every parameter that is not exactly a str.
    return (
        room_id,
        rev,
        rev,
        "create",
        draft.message_id,
        draft.sender,
        draft.client_id,
        draft.digest,
        draft.created_at,
        draft.type.value,
        draft.to,
        rev,
        orjson.dumps(draft.content),
        encoded(draft.metadata),
    )


def missing_target(
    connection: sqlite3.Connection, room_id: RoomId, drafts: Sequence[Draft]
) -> MessageId | None:
    """Return a message that one of ``drafts`` changes and that does not exist, if any."""
    known: set[MessageId] = set()
    for draft in drafts:
        target = draft.message_id
        new = draft.kind is RowKind.CREATE or target in known
        if not new and _message(connection, room_id, target) is None:
            return target
        known.add(target)
    return None


def append(
    connection: WritingConnection, room_id: RoomId, head: Head, drafts: Sequence[Draft]
) -> list[Outcome]:
    """Give each draft that is not a duplicate the next position after ``head``."""
    outcomes: list[Outcome] = []
    rev = head.rev + 1
    for draft in drafts:
        message = _placed(connection, room_id, draft, rev)
        if message is None:
            first = stored(connection, room_id, draft.sender, draft.client_id)
            outcomes.append(existing(first))
        else:
            outcomes.append(Stored(message=message))
            rev += 1
    connection.remember(room_id, replace(head, rev=rev - 1))
    return outcomes


def mentions_in(content: JSON, room_id: RoomId, sender: UserId, seq: int) -> Iterator[Row]:
    """Yield rows of ``mentions``, one for each user but the author."""
    for user in set(content.get("mentions") or ()) - {sender}:
        yield room_id, user, seq


def mention(connection: sqlite3.Connection, mentions: Iterable[Row]) -> None:
    """Insert rows of ``mentions``."""
    connection.executemany("INSERT OR IGNORE INTO mentions VALUES (?, ?, ?)", mentions)


def unmention(connection: sqlite3.Connection, mentions: Iterable[Row]) -> None:
    """Delete rows of ``mentions``."""
    connection.executemany(
        "DELETE FROM mentions WHERE room_id = ? AND user_id = ? AND seq = ?", mentions
    )


def _placed(
    connection: sqlite3.Connection, room_id: RoomId, draft: Draft, rev: int
) -> Message | None:
    """Return the message as the row at ``rev`` leaves it, None if the row is a duplicate."""
    if draft.kind is RowKind.CREATE:
        return _place_create(connection, room_id, draft, rev)
    before = _message(connection, room_id, draft.message_id)
    if before is None:
        # Its create row was in this batch and was a duplicate. Undoes the transaction.
        raise NotStored(f"there is no message {draft.message_id} in room {room_id}")
    if not _place_change(connection, before, draft, rev):
        return None
    after = fold.changed(before, draft, rev)
    _keep(connection, after)
    if draft.kind is RowKind.DELETE:
        _erase_edits(connection, after)
    if draft.kind is not RowKind.REACT:
        unmention(connection, _mentions(before))
        mention(connection, _mentions(after))
    return after


def _place_create(
    connection: sqlite3.Connection, room_id: RoomId, draft: Draft, rev: int
) -> Message | None:
    row = row_of_create(room_id, draft, rev)
    if not connection.execute(_CREATE_ONE, row).rowcount:
        return None
    message = fold.created(room_id, draft, rev)
    if message.is_control:
        control.apply(connection, message)
    else:
        mention(connection, mentions_in(draft.content, room_id, draft.sender, rev))
    return message


def _place_change(connection: sqlite3.Connection, message: Message, draft: Draft, rev: int) -> bool:
    delta = None
    if draft.kind is RowKind.EDIT and not message.deleted:
        delta = orjson.dumps(draft.content)
    elif draft.kind is RowKind.REACT:
        delta = orjson.dumps([draft.emoji, draft.on])
    row = (
        message.room_id,
        rev,
        message.seq,
        draft.kind.value,
        message.id,
        draft.sender,
        draft.client_id,
        draft.digest,
        draft.created_at,
        delta,
    )
    return connection.execute(_CHANGE, row).rowcount > 0


def _keep(connection: sqlite3.Connection, message: Message) -> None:
    connection.execute(
        "UPDATE log SET state_rev = ?, edited_at = ?, deleted = ?, content = ?, metadata = ?, "
        "reactions = ? WHERE room_id = ? AND rev = ?",
        (
            message.rev,
            message.edited_at,
            message.deleted,
            orjson.dumps(message.content),
            encoded(message.metadata),
            encoded_reactions(message.reactions),
            message.room_id,
            message.seq,
        ),
    )


def _erase_edits(connection: sqlite3.Connection, message: Message) -> None:
    connection.execute(
        # Without its name the planner walks the whole room along the primary key.
        "UPDATE log INDEXED BY edits_by_message SET delta = NULL "
        "WHERE room_id = ? AND seq = ? AND kind = 'edit'",
        (message.room_id, message.seq),
    )


def _mentions(message: Message) -> Iterator[Row]:
    return mentions_in(message.content, message.room_id, message.sender, message.seq)


def stored(
    connection: sqlite3.Connection, room_id: RoomId, sender: UserId, client_id: ClientId
) -> Duplicate | None:
    """Return the first row of a client_id and its message as of today."""
    row = connection.execute(_FIRST, (room_id, sender, client_id)).fetchone()
    if row is None:
        return None
    rev, digest, created_at, *message = row
    return Duplicate(
        rev=rev, digest=digest, created_at=created_at, message=message_from(tuple(message))
    )


def _message(
    connection: sqlite3.Connection, room_id: RoomId, message_id: MessageId
) -> Message | None:
    row = connection.execute(
        f"SELECT {MESSAGE} FROM log WHERE message_id = ? AND kind = 'create' AND room_id = ?",
        (message_id, room_id),
    ).fetchone()
    return message_from(row) if row else None
