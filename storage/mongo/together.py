"""Rows of several rooms that leave together: what comes while others are under way is the next lot.

A command costs this process and the server about half a millisecond each, whatever is in it, and a
sync to disk besides. In many rooms in which now and then somebody says something, that was most of
what a message cost.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

from parley.storage.errors import OutcomeUnknown, StorageError, StorageUnavailable
from parley.storage.models import RoomId
from parley.storage.mongo.database import Document
from parley.storage.mongo.inserting import Key

AT_ONCE = 2  # one is made ready while the server is busy with the other
ROWS = 100

Insert = Callable[[Sequence[Document]], Awaitable[Sequence[Key | StorageError]]]
"""Inserts rows, none of which hangs on another; returns what was in the way of each, `()`: nothing.

Raises a `StorageError` that is true of all of them.
"""


class Together:
    """Inserts single rows."""

    def __init__(self, insert: Insert) -> None:
        self._insert = insert
        self._waiting: deque[tuple[Document, asyncio.Future[Key]]] = deque()
        self._under_way = set[asyncio.Task[None]]()

    async def insert(self, row: Document) -> Key:
        """Insert a row; return the key that another row has in common with it, `()` for none.

        Raises:
            StorageError: It was not stored.
            OutcomeUnknown: It may be stored.
        """
        stored: asyncio.Future[Key] = asyncio.get_running_loop().create_future()
        self._waiting.append((row, stored))
        self._go_on()
        return await stored

    def _go_on(self) -> None:
        while self._waiting and len(self._under_way) < AT_ONCE:
            storing = asyncio.create_task(self._store(self._next()))
            self._under_way.add(storing)
            storing.add_done_callback(self._through)

    def _through(self, storing: "asyncio.Task[None]") -> None:
        self._under_way.discard(storing)
        self._go_on()

    def _next(self) -> dict[RoomId, tuple[Document, asyncio.Future[Key]]]:
        """Take what goes next, at most one row of a room: a position hangs on the one before it."""
        lot: dict[RoomId, tuple[Document, asyncio.Future[Key]]] = {}
        left: list[tuple[Document, asyncio.Future[Key]]] = []
        while self._waiting and len(lot) < ROWS:
            one = self._waiting.popleft()
            if lot.setdefault(one[0]["room_id"], one) is not one:
                left.append(one)
        self._waiting.extendleft(reversed(left))
        return lot

    async def _store(self, lot: dict[RoomId, tuple[Document, asyncio.Future[Key]]]) -> None:
        rows = [row for row, _ in lot.values()]
        try:
            for (_, stored), outcome in zip(lot.values(), await self._outcomes(rows), strict=True):
                if stored.done():
                    continue  # nobody waits for it any more
                if isinstance(outcome, StorageError):
                    stored.set_exception(outcome)
                else:
                    stored.set_result(outcome)
        finally:
            for _, stored in lot.values():
                stored.cancel()  # where this was cancelled, or failed as nobody thought of

    async def _outcomes(self, rows: Sequence[Document]) -> Sequence[Key | StorageError]:
        try:
            return await self._insert(rows)
        except (OutcomeUnknown, StorageUnavailable) as error:
            return [type(error)(str(error)) for _ in rows]
        except StorageError as error:
            # One of them is such that none was sent. Each by itself: the others shall not suffer.
            if len(rows) == 1:
                return [error]
            return [outcome for row in rows for outcome in await self._outcomes([row])]
