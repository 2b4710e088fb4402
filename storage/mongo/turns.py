"""How many operations are under way at once.

A thousand clients that come back at the same moment want more connections than the driver has. It
would let them wait, and count their waiting as MongoDB's: whoever came late was told that it does
not answer. What waits here has not begun, and neither has its time.
"""

import asyncio
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
        self._free = asyncio.Semaphore(most)

    @asynccontextmanager
    async def next(self) -> AsyncGenerator[None]:
        """Wait for a turn and keep it.

        What has one may not wait for another of the same kind: all might do so at once.

        Raises:
            StorageUnavailable: It did not come.
        """
        try:
            async with asyncio.timeout(WAIT_S):
                await self._free.acquire()
        except TimeoutError:
            raise StorageUnavailable("MongoDB: too much waits for it") from None
        try:
            yield
        finally:
            self._free.release()
