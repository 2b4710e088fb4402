"""A network that fails on demand: a TCP proxy in front of a server."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator

import aiohttp

CHUNK = 65_536
SEGMENT = 1_400  # bytes that a TCP segment carries over the internet
_ACCEPTING = 8  # turns of the loop; a connection that was accepted takes some to become a task


class Proxy:
    """Passes bytes both ways until a test decides otherwise."""

    def __init__(self, server_port: int) -> None:
        self.url = ""
        self.passed = 0  # bytes that the server said
        self.muted = False  # what the server says is swallowed
        self.mute_after: bytes | None = None  # it is, once the server has said this
        self.cuts_into_segments = False  # what clients say; the server reads each by itself
        self._turn: aiohttp.ClientSession | None = None
        self._server_port = server_port
        self._down = False
        self._open: set[asyncio.StreamWriter] = set()
        self._serving: set[asyncio.Task[None]] = set()

    @classmethod
    @contextlib.asynccontextmanager
    async def before(cls, server_port: int) -> AsyncGenerator["Proxy"]:
        """Run a proxy in front of a port; clients that come back by themselves leave first."""
        proxy = cls(server_port)
        listener = await asyncio.start_server(proxy._accept, "127.0.0.1", 0)
        host, port = listener.sockets[0].getsockname()
        proxy.url = f"http://{host}:{port}"
        try:
            async with aiohttp.ClientSession(f"http://127.0.0.1:{server_port}") as proxy._turn:
                yield proxy
        finally:
            listener.close()
            proxy.down()
            for _ in range(_ACCEPTING):
                await asyncio.sleep(0)
            while proxy._serving:
                await asyncio.wait(proxy._serving)

    def cut(self) -> None:
        """End every connection at once, without a word of Socket.IO, and let new ones in."""
        for writer in self._open:
            writer.transport.abort()

    def down(self) -> None:
        """End every connection and let none in until `up`."""
        self._down = True
        self.cut()

    def up(self) -> None:
        """Let connections in again."""
        self._down = False

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with self._opened(writer):
            if self._down:
                return
            there, server = await asyncio.open_connection("127.0.0.1", self._server_port)
            async with self._opened(server), asyncio.TaskGroup() as both:
                both.create_task(self._pass(reader, server))
                both.create_task(self._pass(there, writer, mutable=True))

    @contextlib.asynccontextmanager
    async def _opened(self, writer: asyncio.StreamWriter) -> AsyncGenerator[None]:
        self._open.add(writer)
        try:
            yield
        except* OSError:
            pass  # cut, or nobody is there
        finally:
            self._open.discard(writer)
            writer.transport.abort()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _pass(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, mutable: bool = False
    ) -> None:
        cuts = self.cuts_into_segments and not mutable
        while data := await source.read(SEGMENT if cuts else CHUNK):
            if cuts:
                await self._turned()
            if not (mutable and self.muted):
                sink.write(data)
                self.passed += len(data) if mutable else 0
                await sink.drain()
                self.muted |= mutable and self.mute_after is not None and self.mute_after in data
        # One side is through: so is the other, or its half would wait for ever.
        sink.close()

    async def _turned(self) -> None:
        """Wait until the server's event loop has gone round: what was sent before it has read."""
        assert self._turn is not None
        async with self._turn.get("/healthz") as response:
            assert response.status == 200
