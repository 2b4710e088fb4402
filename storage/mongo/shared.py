"""Single lookups of many callers, made together.

A client that comes back needs a handful of documents, and others come back with it. One query for
all of them costs this process and MongoDB a fraction of a query for each.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextvars import Context
from itertools import islice
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")

MOST = 100  # keys in one query


class Shared(Generic[K, V]):
    """Who asks while a query is under way is answered by the next: so none is older than asked."""

    def __init__(
        self, read: Callable[[Collection[K]], Awaitable[Mapping[K, V]]], *, most: int = MOST
    ) -> None:
        """Answer by ``read``, which leaves out what is not there, of at most ``most`` keys."""
        self._read = read
        self._most = most
        self._waiting: dict[K, asyncio.Future[V | None]] = {}
        self._running: asyncio.Task[None] | None = None

    async def get(self, key: K) -> V | None:
        """Return what was read of ``key`` after this was called."""
        future = self._waiting.get(key)
        if future is None:
            future = self._waiting[key] = asyncio.get_running_loop().create_future()
            # Whoever waited may be gone: then nobody asks how it ended.
            future.add_done_callback(lambda done: done.cancelled() or done.exception())
        if self._running is None:
            # Not in the context of the first caller, whose deadline is not that of the others.
            self._running = asyncio.create_task(self._run(), context=Context())
        return await asyncio.shield(future)

    async def _run(self) -> None:
        try:
            while self._waiting:
                keys = list(islice(self._waiting, self._most))
                asked = {key: self._waiting.pop(key) for key in keys}
                await self._answer(asked)
        finally:
            self._running = None

    async def _answer(self, asked: Mapping[K, "asyncio.Future[V | None]"]) -> None:
        try:
            found = await self._read(asked)
        except Exception as error:
            for future in asked.values():
                future.set_exception(error)
        else:
            for key, future in asked.items():
                future.set_result(found.get(key))
