"""Appending batches to logs, inside a write transaction.

Rows that only add a spoken message are nearly all there is under load, so those of every batch
in the transaction go to SQLite in as few statements as possible: the sqlite3 module gives up
the GIL for each statement, and getting it back from a busy event loop costs more than the
insert itself. Everything else, and whatever collides, goes row by row (`rows`).
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, groupby
from typing import Self

from parley.storage import fold
from parley.storage.errors import EpochChanged, NotStored, PositionTaken
from parley.storage.models import Draft, Head, Outcome, RoomId, Stored
from parley.storage.sqlite import control, rows
from parley.storage.sqlite.connection import WritingConnection
from parley.storage.sqlite.records import Row

Answer = Sequence[Outcome] | Exception

ROWS_A_STATEMENT = 64  # a statement of each length is prepared once and kept

_STATEMENTS = [rows.create_statement(n) for n in range(ROWS_A_STATEMENT + 1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One call of `MessageRepository.append`."""

    room_id: RoomId
    epoch: str
    after: int
    drafts: Sequence[Draft]
    plain: bool  # spoken messages only
    # Of plain drafts, at the positions they get if none is a duplicate:
    rows: Sequence[Row]
    mentions: Sequence[Row]

    @classmethod
    def of(cls, room_id: RoomId, epoch: str, after: int, drafts: Sequence[Draft]) -> Self:
        """Encode the drafts here, so that no transaction waits for it or fails by it."""
        plain = all(draft.is_spoken for draft in drafts)
        placed = list(enumerate(drafts, after + 1)) if plain else []
        return cls(
            room_id=room_id,
            epoch=epoch,
            after=after,
            drafts=drafts,
            plain=plain,
            rows=[rows.row_of_create(room_id, draft, rev) for rev, draft in placed],
            mentions=[
                mention
                for rev, draft in placed
                for mention in rows.mentions_in(draft.content, room_id, draft.sender, rev)
            ],
        )

    def refusal(self, head: Head | None) -> Exception | None:
        """Return why a log that ends at ``head`` cannot take it, if so."""
        if head is None:
            return NotStored(f"there is no room {self.room_id}")
        if head.epoch != self.epoch:
            return EpochChanged(f"{self.room_id}: the epoch is {head.epoch}, not {self.epoch}")
        if head.rev != self.after:
            return PositionTaken(self.room_id, self.after, head.rev)
        return None


def append_all(connection: WritingConnection, batches: Sequence[Batch]) -> Sequence[Answer]:
    """Append each batch as `MessageRepository.append` says; a refused one is its exception."""
    answers: list[Answer] = []
    for plain, group in groupby(batches, key=lambda batch: batch.plain):
        if plain:
            answers += _append_plain(connection, list(group))
        else:
            answers += [_append_by_row(connection, batch) for batch in group]
    return answers


def _append_plain(connection: WritingConnection, batches: Sequence[Batch]) -> list[Answer]:
    connection.execute("SAVEPOINT plain")
    answers: list[Answer] = []
    taken: list[Batch] = []
    for batch in batches:
        refusal = _refusal(connection, batch, connection.head(batch.room_id))
        if refusal is None:
            taken.append(batch)
            head = Head(epoch=batch.epoch, rev=batch.after + len(batch.rows))
            connection.remember(batch.room_id, head)
        answers.append(refusal or _stored(batch))
    try:
        _insert(connection, taken)
    except sqlite3.IntegrityError:
        # One of the rows is a duplicate. The next one gets its position, so look at each.
        connection.execute("ROLLBACK TO plain")
        answers = [_append_by_row(connection, batch) for batch in batches]
    connection.execute("RELEASE plain")
    return answers


def _refusal(connection: WritingConnection, batch: Batch, head: Head | None) -> Exception | None:
    # Only an empty log may be that of a deleted room, so for any other nothing is asked.
    if head is not None and head.rev == 0 and head.epoch == batch.epoch:
        room = control.room(connection, batch.room_id)
        if room is not None and room.deleted:
            return NotStored(f"the room {batch.room_id} is deleted")
    return batch.refusal(head)


def _insert(connection: WritingConnection, batches: Sequence[Batch]) -> None:
    every = [row for batch in batches for row in batch.rows]
    for start in range(0, len(every), ROWS_A_STATEMENT):
        some = every[start : start + ROWS_A_STATEMENT]
        connection.execute(_STATEMENTS[len(some)], list(chain.from_iterable(some)))
    mentions = [row for batch in batches for row in batch.mentions]
    if mentions:
        rows.mention(connection, mentions)


def _stored(batch: Batch) -> list[Outcome]:
    placed = enumerate(batch.drafts, batch.after + 1)
    return [Stored(message=fold.created(batch.room_id, draft, rev)) for rev, draft in placed]


def _append_by_row(connection: WritingConnection, batch: Batch) -> Answer:
    head = connection.head_in_file(batch.room_id)
    refusal = _refusal(connection, batch, head)
    if head is None or refusal is not None:
        return refusal or []
    missing = rows.missing_target(connection, batch.room_id, batch.drafts)
    if missing is not None:
        return NotStored(f"there is no message {missing} in room {batch.room_id}")
    return rows.append(connection, batch.room_id, head, batch.drafts)
