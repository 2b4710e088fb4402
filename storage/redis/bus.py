"""Hints between nodes, by way of Redis Pub/Sub."""

import asyncio
import contextlib
import logging
import math
import secrets
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from typing import Self

from parley.storage.expiring import Listener, Subscription
from parley.storage.memory.bus import MemoryBus
from parley.storage.redis.database import RedisDatabase
from parley.storage.redis.ending import end
from parley.storage.redis.link import Link
from parley.storage.redis.servers import FAILURES, Servers

logger = logging.getLogger(__name__)

PREFIX = b"parley:bus:"
MAX_PAYLOAD = 65_536  # bytes
ORIGIN = 8  # characters in front of each payload: who has published it
REFRESH_EVERY_S = 0.1  # at most, while channels move
AFTER_ERROR_S = 1.0  # of ours, or of redis-py
FIRST_S = 1.0  # that a start waits for Redis
TELL_EVERY_S = 60.0  # of what strangers publish


class RedisBus:
    """See `Bus`. Payloads of a channel keep their order.

    Listeners of this node are told at once, whether Redis is there or not; those of others
    through Redis, where each node subscribes to the channels that somebody there listens to.
    While Redis is away nothing waits for it: subscribing returns without a confirmation, and
    `on_reconnect` says when all of it is made good.
    """

    def __init__(self, servers: Servers) -> None:
        self._servers = servers
        self._here = MemoryBus()
        self._origin = secrets.token_hex(ORIGIN // 2).encode()
        self._listeners: Counter[str] = Counter()
        self._callbacks: list[Callable[[], None]] = []

        self._links: dict[str, Link] = {}
        self._places: dict[str, str] = {}  # channel to the server that it is heard at
        self._moved = asyncio.Event()
        self._moved.set()
        self._first = asyncio.Event()  # has heard itself for the first time
        self._told_at = -math.inf  # of garbage, by the clock of the event loop

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, database: RedisDatabase) -> AsyncGenerator[Self]:
        """Keep a connection to each server meanwhile; a Redis that is away is no error."""
        bus = cls(database.servers)
        following = asyncio.create_task(bus._follow(), name="bus servers")
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(FIRST_S):
                    await bus._first.wait()
            yield bus
        finally:
            await end(following)
            for link in bus._links.values():
                await link.close()

    @property
    def deaf(self) -> bool:
        """See `Bus`."""
        return not self._links or any(link.deaf for link in self._links.values())

    def on_reconnect(self, callback: Callable[[], None]) -> None:
        """See `Bus`."""
        self._callbacks.append(callback)

    async def subscribe(self, channel: str, listener: Listener) -> Subscription:
        """See `Bus`."""
        # Here first: what comes right after the confirmation is heard.
        subscription = _Subscription(self, channel, await self._here.subscribe(channel, listener))
        self._listeners[channel] += 1
        if self._listeners[channel] == 1:
            self._place(channel)
        try:
            await self._confirmed(channel)
        except BaseException:
            await subscription.cancel()
            raise
        return subscription

    def publish(self, channel: str, payload: bytes) -> None:
        """See `Bus`."""
        self._here.publish(channel, payload)
        if len(payload) > MAX_PAYLOAD:
            logger.error("a hint on %s has %d bytes and stays here", channel, len(payload))
            return
        name = _name(channel)
        link = self._links.get(self._servers.of(name) or "")
        if link is not None:
            link.publish(name, b"%b %b" % (self._origin, payload))

    def forget(self, channel: str) -> None:
        """Hear a channel no more if nobody here listens."""
        self._listeners[channel] -= 1
        if self._listeners[channel] == 0:
            del self._listeners[channel]
            link = self._links.get(self._places.pop(channel, ""))
            if link is not None:
                link.unsubscribe(_name(channel))

    def _hear(self, name: bytes, message: bytes) -> None:
        origin, space, payload = message[:ORIGIN], message[ORIGIN:][:1], message[ORIGIN + 1 :]
        if space != b" " or len(payload) > MAX_PAYLOAD:
            now = asyncio.get_running_loop().time()
            if now - self._told_at > TELL_EVERY_S:
                self._told_at = now
                logger.warning("what came on %.80r is not from a node and is dropped", name)
        elif origin != self._origin:
            self._here.publish(name[len(PREFIX) :].decode(), payload)

    # Where channels live

    async def _follow(self) -> None:
        """Put channels where they live, whenever that may have changed."""
        while True:
            await self._moved.wait()
            self._moved.clear()
            try:
                await self._servers.refresh()
                await self._settle()
            except FAILURES as error:
                self._moved.set()
                logger.debug("Redis does not say where channels live: %s", error)
            except Exception:
                # Or no channel would be put anywhere any more, and nobody would know why.
                self._moved.set()
                logger.exception("channels were not put where they live")
                await asyncio.sleep(AFTER_ERROR_S)
            await asyncio.sleep(REFRESH_EVERY_S)

    async def _settle(self) -> None:
        names = self._servers.names()
        for name in names - self._links.keys():
            self._links[name] = Link(
                name, self._servers, heard=self._hear, ready=self._ready, moved=self._moved.set
            )
        moved = [channel for channel in self._listeners if self._place(channel)]
        for link in self._links.values():
            link.astray = False
        for name in self._links.keys() - names:
            await self._links.pop(name).close()
        if moved:
            await asyncio.gather(*(self._confirmed(channel) for channel in moved))
            self._ready()

    def _place(self, channel: str) -> bool:
        """Hear a channel where it lives by now; return whether that has begun just now."""
        name = _name(channel)
        before, now = self._places.pop(channel, ""), self._servers.of(name) or ""
        if before != now and before in self._links:
            self._links[before].unsubscribe(name)
        if now not in self._links:
            return False
        self._places[channel] = now
        return self._links[now].subscribe(name)

    async def _confirmed(self, channel: str) -> None:
        link = self._links.get(self._places.get(channel, ""))
        if link is not None:
            await link.confirmed(_name(channel))

    def _ready(self) -> None:
        """Let everybody look at storage who may have missed a hint."""
        if not self.deaf:
            self._first.set()
        for callback in self._callbacks:
            callback()


class _Subscription:
    """See `Subscription`."""

    def __init__(self, bus: RedisBus, channel: str, here: Subscription) -> None:
        self._bus = bus
        self._channel = channel
        self._here = here
        self._over = False

    async def cancel(self) -> None:
        """See `Subscription`."""
        if not self._over:
            self._over = True
            self._bus.forget(self._channel)
        await self._here.cancel()


def _name(channel: str) -> bytes:
    return PREFIX + channel.encode()
