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
from parley.storage.models import SPOKEN, Draft, Outcome, RoomId, RowKind, Stored
from parley.storage.sqlite import rows
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
    rows: Sequence[Row]  # of plain drafts, at the positions they get if none is a duplicate

    @classmethod
    def of(cls, room_id: RoomId, epoch: str, after: int, drafts: Sequence[Draft]) -> Self:
        """Encode the drafts here, so that no transaction waits for it or fails by it."""
        plain = all(d.kind is RowKind.CREATE and d.type in SPOKEN for d in drafts)
        placed = enumerate(drafts, after + 1)
        return cls(
            room_id=room_id,
            epoch=epoch,
            after=after,
            drafts=drafts,
            plain=plain,
            rows=[rows.row_of_create(room_id, d, rev) for rev, d in placed] if plain else [],
        )

    def refusal(self, epoch: str, head: int) -> Exception | None:
        """Return why a log that ends at ``head`` cannot take it, if so."""
        if not epoch:
            return NotStored(f"there is no room {self.room_id}")
        if epoch != self.epoch:
            return EpochChanged(f"{self.room_id}: the epoch is {epoch}, not {self.epoch}")
        if head != self.after:
            return PositionTaken(self.room_id, self.after, head)
        return None


def append_all(connection: sqlite3.Connection, batches: Sequence[Batch]) -> Sequence[Answer]:
    """Append each batch as `MessageRepository.append` says; a refused one is its exception."""
    answers: list[Answer] = []
    for plain, group in groupby(batches, key=lambda batch: batch.plain):
        if plain:
            answers += _append_plain(connection, list(group))
        else:
            answers += [_append_by_row(connection, batch) for batch in group]
    return answers


def _append_plain(connection: sqlite3.Connection, batches: Sequence[Batch]) -> list[Answer]:
    heads: dict[RoomId, tuple[str, int]] = {}
    refusals: list[Exception | None] = []
    taken: list[Batch] = []
    for batch in batches:
        epoch, head = heads.get(batch.room_id) or rows.end_of_log(connection, batch.room_id)
        refusal = batch.refusal(epoch, head)
        if refusal is None:
            taken.append(batch)
            head += len(batch.rows)
        heads[batch.room_id] = (epoch, head)
        refusals.append(refusal)
    if not _inserted(connection, taken):
        return [_append_by_row(connection, batch) for batch in batches]
    return [
        refusal or _stored(batch) for batch, refusal in zip(batches, refusals, strict=True)
    ]


def _inserted(connection: sqlite3.Connection, batches: Sequence[Batch]) -> bool:
    """Insert every row of ``batches`` and return True, or none because one is a duplicate."""
    every = [row for batch in batches for row in batch.rows]
    try:
        for start in range(0, len(every), ROWS_A_STATEMENT):
            some = every[start : start + ROWS_A_STATEMENT]
            connection.execute(_STATEMENTS[len(some)], list(chain.from_iterable(some)))
    except sqlite3.IntegrityError:
        # Only the statement was undone. Nobody has seen the others' rows yet either.
        for batch in batches:
            rows.take_back(connection, batch.room_id, batch.after)
        return False
    rows.mention(
        connection,
        (
            mention
            for batch in batches
            for rev, draft in enumerate(batch.drafts, batch.after + 1)
            if "mentions" in draft.content
            for mention in rows.mentions_in(draft.content, batch.room_id, draft.sender, rev)
        ),
    )
    return True


def _stored(batch: Batch) -> list[Outcome]:
    placed = enumerate(batch.drafts, batch.after + 1)
    return [Stored(message=fold.created(batch.room_id, draft, rev)) for rev, draft in placed]


def _append_by_row(connection: sqlite3.Connection, batch: Batch) -> Answer:
    refusal = batch.refusal(*rows.end_of_log(connection, batch.room_id))
    if refusal is not None:
        return refusal
    missing = rows.missing_target(connection, batch.room_id, batch.drafts)
    if missing is not None:
        return NotStored(f"there is no message {missing} in room {batch.room_id}")
    return rows.append(connection, batch.room_id, batch.after, batch.drafts)
