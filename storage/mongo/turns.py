"""How many operations are under way at once.

A thousand clients that come back at the same moment want more connections than the driver has. It
would let them wait, and count their waiting as MongoDB's: whoever came late was told that it does
not answer. What waits here has not begun, and neither has its time.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from parley.storage.errors import StorageUnavailable

# More would not be faster: a command costs this process about a millisecond of its one thread, so
# that these keep it busy where the server is ten away; and each has more time of the processor.
READS, WRITES = 16, 16
WAIT_S = 5.0  # for a turn; a client's own time-out is longer


class Turns:
    """Lets so many in at once, first come, first served."""

    def __init__(self, most: int) -> None:
        self._free = most
        self._waiting: deque[tuple[float, asyncio.Future[None]]] = deque()  # since when

    @asynccontextmanager
    async def next(self) -> AsyncGenerator[None]:
        """Wait for a turn and keep it.

        What has one may not wait for another of the same kind: all might do so at once.

        Raises:
            StorageUnavailable: It did not come, or those before got no answer.
        """
        loop = asyncio.get_running_loop()
        await self._turn(loop.time())
        began = loop.time()
        try:
            yield
        except StorageUnavailable:
            self._give_up(since=(began + loop.time()) / 2)
            raise
        finally:
            self._free += 1
            self._go_on()

    async def _turn(self, now: float) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((now, turn))
        self._go_on()
        try:
            async with asyncio.timeout(WAIT_S):
                await turn
        except (TimeoutError, asyncio.CancelledError) as error:
            if not turn.cancelled() and turn.exception() is None:  # it came in the same moment
                self._free += 1
                self._go_on()
            if isinstance(error, TimeoutError):
                raise StorageUnavailable("MongoDB: too much waits for it") from None
            raise

    def _go_on(self) -> None:
        while self._free and self._waiting:
            _, turn = self._waiting.popleft()
            if not turn.done():
                self._free -= 1
                turn.set_result(None)

    def _give_up(self, since: float) -> None:
        """Refuse whoever has waited since then: MongoDB, if it is away, is so for all of them.

        One after the other would wait for as long again.
        """
        while self._waiting and self._waiting[0][0] <= since:
            _, turn = self._waiting.popleft()
            if not turn.done():
                turn.set_exception(StorageUnavailable("MongoDB: no answer to those before"))
