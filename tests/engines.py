"""Applications of ours in this process, on free ports, and what must be left of them: nothing."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Any

import aiohttp
from aiohttp import web
from yarl import URL

from parley.server.engine.engine import Engine
from tests.conformance.server import SERVER
from tests.links import LINKS, WAIT_S, Link, PollingLink, UpgradedLink, WebSocketLink

CALM: dict[str, Any] = {"ping_interval": 60.0, "ping_timeout": 60.0, "connect_timeout": 60.0}
"""No heartbeat and no deadline of the server's falls into a test."""


class House:
    """A running application; links that are opened here are closed with it."""

    def __init__(
        self, app: web.Application, runner: web.AppRunner, http: aiohttp.ClientSession, url: str
    ) -> None:
        self.server: Any = app[SERVER]
        self._runner = runner
        self.http = http
        self.origin = url
        path = app.router.resources()
        self.url = url + next(iter(path)).canonical
        self.eio: Engine = getattr(self.server, "eio", self.server)

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, app: web.Application) -> AsyncGenerator["House"]:
        """Serve an application; at the end everybody leaves and nothing may be left."""
        runner = web.AppRunner(app, access_log=None, auto_decompress=False)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        timeout = aiohttp.ClientTimeout(WAIT_S)
        try:
            async with aiohttp.ClientSession(timeout=timeout) as http:
                house = cls(app, runner, http, f"http://127.0.0.1:{runner.addresses[0][1]}")
                yield house
            await house.empty()
        finally:
            # Nobody new; what was accepted takes some turns to become a connection that is closed.
            await site.stop()
            for _ in range(8):
                await asyncio.sleep(0)
            await runner.cleanup()

    @property
    def connections(self) -> Sequence[web.RequestHandler]:
        """Return those that aiohttp knows."""
        assert self._runner.server is not None
        return self._runner.server.connections

    async def link(self, kind: str) -> Link:
        """Open a connection over a transport."""
        link = await LINKS[kind](self.http, self.url).open()
        connection = self.eio.sockets[link.opened["sid"]]
        await self.until(lambda: connection.upgraded is (kind != "polling"))
        return link

    async def polling(self) -> PollingLink:
        """Open one over long polling."""
        return await PollingLink(self.http, self.url).open()

    async def websocket(self) -> WebSocketLink:
        """Open one over a WebSocket."""
        return await WebSocketLink(self.http, self.url).open()

    async def upgrade(self, polling: PollingLink) -> UpgradedLink:
        """Go on over a WebSocket."""
        return await UpgradedLink(self.http, self.url).take_over(polling)

    @contextlib.asynccontextmanager
    async def wire(self) -> AsyncGenerator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        """Open a TCP connection on which a test may say anything."""
        url = URL(self.origin)
        reader, writer = await asyncio.open_connection(url.host, url.port)
        try:
            yield reader, writer
        finally:
            writer.transport.abort()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def turn(self) -> None:
        """Return when the server's loop has gone round: what was sent before has been seen."""
        async with self.http.get(self.url) as response:
            assert response.status == 400

    async def until(self, holds: Callable[[], bool]) -> None:
        """Let the server's loop go round until something holds."""
        async with asyncio.timeout(WAIT_S):
            while not holds():
                await self.turn()

    async def empty(self) -> None:
        """Send everybody away and look for what was forgotten."""
        await self.eio.disconnect()
        async with asyncio.timeout(WAIT_S):
            await self.eio.shutdown()
        assert self.eio.sockets == {}
        if self.server is not self.eio:
            assert list(self.server.manager.get_namespaces()) == []
            assert self.server.manager.callbacks == {}
