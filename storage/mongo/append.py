"""Appending what people say: one ordered insert, without a transaction.

Under load nearly every row only adds a message. Its position is taken by being there first: rows
go to the head and up, and the unique index decides between nodes. Whatever changes a message or
the room goes another way (`rows`).
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import TypeVar

from parley.storage import fold
from parley.storage.errors import OutcomeUnknown, PositionTaken, StorageError
from parley.storage.models import Draft, Duplicate, Head, Outcome, RoomId, Stored
from parley.storage.mongo.database import Document, MongoDatabase
from parley.storage.mongo.documents import row_of_create
from parley.storage.mongo.errors import translated_reads
from parley.storage.mongo.insert_queue import InsertQueue
from parley.storage.mongo.inserting import Key, insert
from parley.storage.mongo.logs import refusal, settled_refusal
from parley.storage.mongo.migrations import POSITION
from parley.storage.mongo.requests import Request, request_of, stored

R = TypeVar("R")


def is_plain(drafts: Sequence[Draft]) -> bool:
    """Whether the drafts are spoken messages only."""
    return all(draft.is_spoken for draft in drafts)


class PlainBatch:
    """One call of `MessageRepository.append` with spoken messages only."""

    def __init__(
        self,
        database: MongoDatabase,
        queue: InsertQueue,
        room_id: RoomId,
        *,
        epoch: str,
        after: int,
        drafts: Sequence[Draft],
    ) -> None:
        """Nothing is written before `store`."""
        self._database = database
        self._queue = queue
        self._room_id = room_id
        self._epoch = epoch
        self._after = after
        self._drafts = drafts
        self._rev = after  # up to which this has written
        # Equal requests in one batch are one row, at the place of the first.
        self._first: dict[Request, Draft] = {}
        for draft in drafts:
            self._first.setdefault(request_of(draft), draft)
        self._outcomes: dict[Request, Outcome] = {}

    async def store(self) -> list[Outcome]:
        """See `MessageRepository.append`."""
        try:
            await self._expect()
            await self._insert_all()
        except StorageError as error:
            if not isinstance(error, PositionTaken):
                self._database.heads.forget(self._room_id)
            if self._rev > self._after:
                # Some rows are there already, so "nothing was stored" would not be true.
                raise OutcomeUnknown(f"a part was stored, then: {error}") from error
            raise
        head = Head(epoch=self._epoch, rev=self._rev)
        self._database.heads.learn(self._room_id, head)
        return self._answers()

    async def _expect(self) -> None:
        """Make sure that ``after`` is where the log ends: a row beyond it would leave a hole."""
        if not self._is_next():
            refused = await self._look(
                partial(refusal, self._database, self._room_id, self._epoch, self._after)
            )
            if refused is not None:
                raise refused

    def _is_next(self) -> bool:
        """Whether nothing is known behind ``after`` but what this has written, and that is fresh.

        Once more right before rows leave: they may have waited for a turn, in which another node
        wrote, and in which the room may even have been deleted and its positions freed.
        """
        known = self._database.heads.fresh(self._room_id)
        return known is not None and (known.epoch, known.rev) == (self._epoch, self._after)

    async def _look(self, read: Callable[[], Awaitable[R]]) -> R:
        """Return what ``read`` returns; what is said does not wait behind a crowd that reads."""

        async def translated() -> R:
            with translated_reads():
                return await read()

        return await self._database.write(translated())

    async def _insert_all(self) -> None:
        waiting = list(self._first.values())
        while waiting:
            count, clash = await self._insert(waiting)
            for rev, draft in enumerate(waiting[:count], self._rev + 1):
                message = fold.created(self._room_id, draft, rev)
                self._outcomes[request_of(draft)] = Stored(message=message)
            self._rev += count
            waiting = waiting[count:]
            if clash == POSITION:
                raise await self._overtaken()
            if clash:
                waiting = await self._without_duplicates(waiting)

    async def _insert(self, drafts: Sequence[Draft]) -> tuple[int, Key]:
        """Return how many rows were stored, and which key the next one has in common."""
        rows = [row_of_create(self._room_id, d, rev) for rev, d in enumerate(drafts, self._rev + 1)]
        if len(rows) == 1:  # alone in its room: it leaves with rows of others
            clash = await self._queue.insert(rows[0], self._is_next)
            return (0, clash) if clash else (1, ())
        clashes = await self._database.write(self._insert_now(rows))
        return next(iter(clashes.items()), (len(rows), ()))

    async def _insert_now(self, rows: Sequence[Document]) -> Mapping[int, Key]:
        if not self._is_next():
            return {0: POSITION}
        return await insert(self._database.messages, rows, ordered=True)

    async def _overtaken(self) -> StorageError:
        """Return what it means that another row is where the next one should be."""
        # Whoever was faster tells of it, which takes this process less than two reads.
        here = Head(epoch=self._epoch, rev=self._rev)
        known = await self._database.heads.beyond(self._room_id, here)
        if known is not None:
            return PositionTaken(self._room_id, self._rev, known.rev)
        self._database.heads.forget(self._room_id)
        return await self._look(
            partial(settled_refusal, self._database, self._room_id, self._epoch, self._rev)
        )

    async def _without_duplicates(self, waiting: Sequence[Draft]) -> list[Draft]:
        """Answer those that are stored already, the first of them at least; return the others."""
        requests = list(map(request_of, waiting))
        known = await self._look(partial(stored, self._database, self._room_id, requests))
        if request_of(waiting[0]) not in known:
            # The index has it, a majority does not yet: an answer now might be taken back.
            raise OutcomeUnknown(f"{self._room_id}: a row that was stored before is unsettled")
        self._outcomes |= known
        return [draft for draft in waiting if request_of(draft) not in known]

    def _answers(self) -> list[Outcome]:
        answers: list[Outcome] = []
        answered = set[Request]()
        for request in map(request_of, self._drafts):
            outcome, first = self._outcomes[request], self._first[request]
            answers.append(_as_duplicate(outcome, first) if request in answered else outcome)
            answered.add(request)
        return answers


def _as_duplicate(outcome: Outcome, first: Draft) -> Duplicate:
    """Return what the second of two equal requests is told: of the first, that is the one stored.

    Its digest above all: who compares that of another text with itself acknowledges what is
    nowhere.
    """
    if isinstance(outcome, Duplicate):
        return outcome
    message = outcome.message
    return Duplicate(
        rev=message.rev, digest=first.digest, created_at=message.created_at, message=message
    )
