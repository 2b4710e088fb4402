"""Rows of several rooms that leave together: what comes meanwhile is the next batch.

A command costs this process and the server about half a millisecond each, whatever is in it, and a
sync to disk besides. In many rooms in which now and then somebody says something, that was most of
what a message cost.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from parley.storage.errors import OutcomeUnknown, StorageError, StorageUnavailable
from parley.storage.models import RoomId
from parley.storage.mongo.database import Document
from parley.storage.mongo.inserting import Key
from parley.storage.mongo.migrations import POSITION

AT_ONCE = 2  # one is made ready while the server is busy with the other
ROWS = 100
WAIT_S = 2.0  # until a batch takes a row along; its client waits five times as long

Outcomes = Sequence[Key | StorageError]

Insert = Callable[[Sequence[Document]], Awaitable[Outcomes]]
"""Inserts rows that do not depend on one another; returns the outcome of each, see `insert_each`.

Raises a `StorageError` that is true of all of them.
"""


@dataclass(frozen=True, slots=True)
class _Row:
    document: Document
    is_next: Callable[[], bool]
    stored: asyncio.Future[Key]
    since: float  # by the clock of the event loop

    def end(self, outcome: Key | Exception) -> None:
        if self.stored.done():
            return  # nobody waits for it any more
        if isinstance(outcome, Exception):
            self.stored.set_exception(outcome)
        else:
            self.stored.set_result(outcome)


class InsertQueue:
    """Inserts single rows."""

    def __init__(
        self,
        insert: Insert,
        *,
        in_turn: Callable[[Coroutine[Any, Any, Outcomes]], Awaitable[Outcomes]],
    ) -> None:
        """Insert by ``insert``, when ``in_turn`` lets it."""
        self._insert = insert
        self._in_turn = in_turn
        self._waiting: deque[_Row] = deque()
        # Waited for at the end by who waits for the rows, see `MongoDatabase.carry_out`.
        self._under_way = set[asyncio.Task[None]]()

    async def insert(self, row: Document, is_next: Callable[[], bool]) -> Key:
        """Insert a row; return the key that another row has in common with it, `()` for none.

        Args:
            is_next: Whether its position is still the next one, as far as that is known. Asked
                right before it leaves: where a room is deleted positions become free, and nobody
                must take those.

        Raises:
            StorageError: It was not stored.
            OutcomeUnknown: It may be stored.
        """
        loop = asyncio.get_running_loop()
        entry = _Row(row, is_next, loop.create_future(), loop.time())
        self._waiting.append(entry)
        self._go_on()
        return await entry.stored

    def _go_on(self) -> None:
        while len(self._under_way) < AT_ONCE and (batch := self._next()):
            storing = asyncio.create_task(self._store(batch))
            self._under_way.add(storing)
            storing.add_done_callback(self._through)

    def _through(self, storing: "asyncio.Task[None]") -> None:
        self._under_way.discard(storing)
        self._go_on()

    def _next(self) -> Sequence[_Row]:
        """Take what goes next, at most one row of a room: a position hangs on the one before it."""
        batch: dict[RoomId, _Row] = {}
        left: list[_Row] = []
        too_old = asyncio.get_running_loop().time() - WAIT_S
        while self._waiting and len(batch) < ROWS:
            row = self._waiting.popleft()
            if row.since < too_old:
                row.end(StorageUnavailable("MongoDB: too much waits for it"))
            elif batch.setdefault(row.document["room_id"], row) is not row:
                left.append(row)
        self._waiting.extendleft(reversed(left))
        return list(batch.values())

    async def _store(self, batch: Sequence[_Row]) -> None:
        began = asyncio.get_running_loop().time()
        try:
            outcomes = await self._in_turn(self._outcomes(batch))
            for row, outcome in zip(batch, outcomes, strict=True):
                row.end(outcome)
        except StorageUnavailable as error:
            for row in batch:
                # One each: an exception that is raised in several places gathers tracebacks.
                row.end(type(error)(str(error)))
            self._give_up(since=(began + asyncio.get_running_loop().time()) / 2)
        except Exception as error:
            # As nobody thought of. Whoever writes the same again finds what was stored.
            for row in batch:
                row.end(error)
        finally:
            for row in batch:
                row.stored.cancel()  # where this was cancelled

    async def _outcomes(self, batch: Sequence[_Row]) -> Outcomes:
        leaving = [row.is_next() for row in batch]
        documents = [row.document for row, leaves in zip(batch, leaving, strict=True) if leaves]
        outcomes = iter(await self._inserted(documents) if documents else ())
        return [next(outcomes) if leaves else POSITION for leaves in leaving]

    async def _inserted(self, rows: Sequence[Document]) -> Outcomes:
        try:
            return await self._insert(rows)
        except StorageUnavailable:
            raise
        except StorageError as error:
            # One of them is such that none was sent. Each by itself: the others shall not suffer.
            if len(rows) == 1:
                return [error]
            return [await self._outcome(row) for row in rows]

    async def _outcome(self, row: Document) -> Key | StorageError:
        try:
            [outcome] = await self._inserted([row])
        except StorageUnavailable as error:
            return OutcomeUnknown(str(error))
        return outcome

    def _give_up(self, since: float) -> None:
        """Refuse whoever has waited since then, as `Turns` does: it is away for all of them."""
        while self._waiting and self._waiting[0].since <= since:
            self._waiting.popleft().end(StorageUnavailable("MongoDB: no answer to those before"))
