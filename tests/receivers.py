"""A receiver of pushes in the test's own process, which may go away and come back on its port."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

import orjson
from aiohttp import web

from tests.clients import WAIT_S

SECRET = "a-secret-of-at-least-32-characters"


class Receiver:
    """Answers pushes as the test wants, and keeps what came."""

    def __init__(self) -> None:
        self.port = 0
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.answer: Callable[[], int] = lambda: 204
        self.location = ""  # where it sends on to, if it does
        self._came = asyncio.Condition()
        self._runner: web.AppRunner | None = None

    @classmethod
    @asynccontextmanager
    async def running(cls) -> AsyncGenerator["Receiver"]:
        """Receive meanwhile."""
        receiver = cls()
        await receiver.start()
        try:
            yield receiver
        finally:
            await receiver.stop()

    @property
    def url(self) -> str:
        """Return where it is."""
        return f"http://127.0.0.1:{self.port}/push"

    async def start(self) -> None:
        """Begin, on the port it had."""
        app = web.Application()
        app.router.add_post("/{path:.*}", self._take)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Go away."""
        if self._runner is not None:
            runner, self._runner = self._runner, None
            await runner.cleanup()

    @property
    def pushes(self) -> list[Any]:
        """Return the bodies of what came."""
        return [orjson.loads(body) for _, body in self.requests]

    @property
    def ids(self) -> list[str]:
        """Return the ids of what came, repetitions too."""
        return [push["id"] for push in self.pushes]

    async def has(self, count: int) -> None:
        """Wait until so many different pushes came."""
        async with asyncio.timeout(WAIT_S), self._came:
            await self._came.wait_for(lambda: len(set(self.ids)) >= count)

    async def asked(self, times: int) -> None:
        """Wait until it was asked so often."""
        async with asyncio.timeout(WAIT_S), self._came:
            await self._came.wait_for(lambda: len(self.requests) >= times)

    async def _take(self, request: web.Request) -> web.Response:
        self.requests.append((dict(request.headers), await request.read()))
        async with self._came:
            self._came.notify_all()
        headers = {"Location": self.location} if self.location else {}
        return web.Response(status=self.answer(), headers=headers)
