"""A port behind which nobody serves, that knows how often somebody tried."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

WAIT_S = 30.0


class ClosedPort:
    """Ends each connection at once, without a word."""

    def __init__(self) -> None:
        self.tries = 0
        self._tried = asyncio.Condition()

    @classmethod
    @asynccontextmanager
    async def on(cls, port: int) -> AsyncGenerator["ClosedPort"]:
        """Hold a port of this machine meanwhile."""
        closed = cls()
        listener = await asyncio.start_server(closed._end, "127.0.0.1", port)
        try:
            yield closed
        finally:
            listener.close()
            await listener.wait_closed()

    async def tried(self, times: int) -> None:
        """Wait until somebody has tried so often."""
        async with asyncio.timeout(WAIT_S), self._tried:
            await self._tried.wait_for(lambda: self.tries >= times)

    async def _end(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()
        self.tries += 1
        async with self._tried:
            self._tried.notify_all()
