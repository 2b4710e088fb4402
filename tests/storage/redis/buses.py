"""Buses in Redis, and what is heard on them."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable

from parley.storage.redis.bus import RedisBus
from parley.storage.redis.database import RedisDatabase
from tests.until import PATIENCE_S, until


@contextlib.asynccontextmanager
async def opened_bus(url: str) -> AsyncGenerator[RedisBus, None]:
    """Return the bus of one node, which hears."""
    async with RedisDatabase.open(url) as database, RedisBus.open(database) as bus:
        await until(lambda: not bus.deaf)  # on a busy machine it begins a little later
        yield bus


class Inbox:
    """A listener that keeps what it hears; `until` waits for it."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self._more = asyncio.Event()

    async def __call__(self, payload: bytes) -> None:
        self.heard.append(payload)
        self._more.set()

    async def until(self, payload: bytes) -> list[bytes]:
        """Return all that was heard when ``payload`` is part of it."""
        async with asyncio.timeout(PATIENCE_S):
            while payload not in self.heard:
                self._more.clear()
                await self._more.wait()
        return self.heard


class Calls:
    """Counts how often it is called; `more` waits for the next time."""

    def __init__(self, register: Callable[[Callable[[], None]], None]) -> None:
        self.count = 0
        self._again = asyncio.Event()
        register(self)

    def __call__(self) -> None:
        self.count += 1
        self._again.set()

    async def more(self) -> None:
        """Return when it was called since the last time this was asked."""
        await asyncio.wait_for(self._again.wait(), PATIENCE_S)
        self._again.clear()
