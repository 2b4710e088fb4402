"""One connection to one server of Redis, for all that is heard and said there.

Rules of this file (docs/design.md, "The bus in Redis"):
- Subscriptions and hints share a connection, which RESP3 allows. So there is one thing to watch,
  and what was subscribed to before a hint was sent is in force when that comes back.
- The link listens to itself: every `SONG_EVERY_S` it publishes on a channel of its own. The first
  song that comes back shows that all is confirmed again; `DEAF_AFTER` that do not, that the
  connection is dead, whatever TCP says.
- Whatever happens, the next connection is tried within a second.
"""

import asyncio
import logging
import math
import secrets
from collections.abc import Callable, Coroutine
from typing import Any

from redis.asyncio.connection import AbstractConnection
from redis.backoff import EqualJitterBackoff
from redis.exceptions import ClusterDownError, MovedError, RedisError, ResponseError

from parley.storage.redis.channels import Channels
from parley.storage.redis.ending import end
from parley.storage.redis.outgoing import Outgoing
from parley.storage.redis.servers import FAILURES, Servers, advice

logger = logging.getLogger(__name__)

SONG_EVERY_S = 1.0
DEAF_AFTER = 3  # songs in a row that nobody heard

BACKOFF = EqualJitterBackoff(cap=1.0, base=0.05)  # seconds
MOST_FAILURES = 16  # that count: of a thousand its power would be no float any more


class Lost(RedisError):
    """The connection is up and of no use."""


class Link:
    """Keeps the wanted channels subscribed to, and sends hints, in their order, without waiting."""

    def __init__(
        self,
        server: str,
        servers: Servers,
        *,
        heard: Callable[[bytes, bytes], None],
        ready: Callable[[], None],
        moved: Callable[[], None],
    ) -> None:
        """Begin to connect.

        Args:
            heard: Takes a channel and what came on it; must not raise or wait.
            ready: Called when all wanted channels are confirmed on a new connection.
            moved: Called when channels may live elsewhere by now.
        """
        self._server = server
        self._servers = servers
        self._heard = heard
        self._ready = ready
        self._moved = moved

        self._connected = False
        self._channels = Channels()
        self._requests: list[tuple[bytes, bytes]] = []  # of the connection there is
        self._hints = Outgoing()
        self._something = asyncio.Event()  # leaves with the next write

        self.deaf = True
        self._own = b""  # the channel that the link hears itself on
        self._song = b""
        self._unheard = 0

        self.astray = False  # the server does not have a channel that it was asked for
        self._refused = False  # something, on this connection; told once
        self._task = asyncio.create_task(self._forever(), name=f"bus {server}")

    def subscribe(self, channel: bytes) -> bool:
        """Hear a channel, from now on or from the next connection on.

        Once more is no error; return whether the server has been asked by this call.
        """
        if self.astray and self._channels.is_asked(channel):
            self._channels.forget(channel)
        elif channel in self._channels:
            return False
        self._channels.want(channel)
        self._ask(channel)
        return self._connected

    def unsubscribe(self, channel: bytes) -> None:
        """Hear it no more."""
        if self._channels.leave(channel):
            self._request(self._servers.words.unsubscribe, channel)

    async def confirmed(self, channel: bytes) -> None:
        """See `Channels.confirmed`."""
        await self._channels.confirmed(channel)

    def publish(self, channel: bytes, payload: bytes) -> None:
        """Send one hint with whatever else leaves in this turn of the event loop."""
        self._hints.put(channel, payload)
        self._something.set()

    async def close(self) -> None:
        """Disconnect; nothing is heard after this returns."""
        await end(self._task)

    # One connection after the other

    async def _forever(self) -> None:
        failures, advised = 0, ""
        while True:
            error = await self._until_lost()
            failures = failures + 1 if self.deaf else 1
            known, advised = advised, advice(error)
            # The first of this outage; a later one where it says more, as after a new password.
            if failures == 1 or (advised and advised != known):
                logger.warning("Redis is away (%s): %s%s", self._server, error, advised)
            self.deaf = True
            self._connected = False
            self._channels.reset()
            self._moved()
            await asyncio.sleep(pause_s(failures))

    async def _until_lost(self) -> Exception:
        """Connect, work, and return what has ended it."""
        try:
            async with self._servers.connection(self._server) as connection:
                self._begin()
                await _together(self._write(connection), self._read(connection), self._sing())
        except FAILURES as error:
            return error
        except Exception as error:
            logger.exception("the connection to Redis failed")
            return error
        return Lost("it has ended")

    def _begin(self) -> None:
        self._own = self._servers.channel(self._server, f"parley:song:{secrets.token_hex(8)}")
        self._song = secrets.token_hex(8).encode()
        self._unheard = 0
        self._refused = False
        self._requests.clear()
        self._connected = True
        for channel in self._channels.wanted():
            self._ask(channel)
        self._ask(self._own)  # last: when it is confirmed, all are

    # Out

    def _ask(self, channel: bytes) -> None:
        if self._connected:
            self._channels.ask(channel)
            self._request(self._servers.words.subscribe, channel)

    def _request(self, word: bytes, channel: bytes) -> None:
        if self._connected:
            self._requests.append((word, channel))
            self._something.set()

    async def _write(self, connection: AbstractConnection) -> None:
        publish = self._servers.words.publish
        while True:
            await self._something.wait()
            self._something.clear()
            commands: list[tuple[bytes, ...]] = [*self._requests]
            self._requests.clear()
            commands += [(publish, *hint) for hint in self._hints.take()]
            packed = connection.pack_commands(commands)
            await connection.send_packed_command(packed, check_health=False)

    async def _sing(self) -> None:
        while True:
            # Turns are counted, not seconds: in a process that stood still nobody was deaf.
            self._unheard += 1
            if self._unheard > DEAF_AFTER:
                raise Lost("it is connected and does not answer")
            self.publish(self._own, self._song)
            await asyncio.sleep(SONG_EVERY_S)

    # In

    async def _read(self, connection: AbstractConnection) -> None:
        while True:
            try:
                answer = await connection.read_response(timeout=math.inf, push_request=True)
            except (MovedError, ClusterDownError):
                self.astray = True
                self._moved()
            except ResponseError as error:
                self._refuse(error)
            else:
                self._take(answer)

    def _take(self, answer: Any) -> None:
        match answer:
            case [b"message" | b"smessage", self._own, data]:
                self._hear_own(data)
            case [b"message" | b"smessage", channel, data]:
                self._heard(channel, data)
            case [b"subscribe" | b"ssubscribe", channel, _]:
                self._channels.confirm(channel)
            case [b"sunsubscribe", self._own, _]:
                raise Lost("its channels have moved")
            case [b"sunsubscribe", channel, _] if not self._channels.is_asked(channel):
                # Not asked for, unless it is wanted no more: then the channel has moved.
                if self._channels.leave(channel):
                    self._moved()
            case _:
                pass  # how many have heard a hint

    def _hear_own(self, song: bytes) -> None:
        if song != self._song:
            return
        self._unheard = 0
        if self.deaf:
            self.deaf = False
            logger.info("Redis is here (%s)", self._server)
            self._ready()

    def _refuse(self, error: ResponseError) -> None:
        if not self._refused:
            logger.error("Redis refuses what the bus asks for: %s", error)
        self._refused = True


def pause_s(failures: int) -> float:
    """Return how long to wait after so many failures in a row, however long Redis is away."""
    return BACKOFF.compute(min(failures, MOST_FAILURES))


async def _together(*works: Coroutine[Any, Any, None]) -> None:
    """Do all of it until one ends, and raise what has ended it.

    Not a TaskGroup: that one forgets that it was cancelled where an error comes at the same time.
    """
    tasks = [asyncio.create_task(work) for work in works]
    try:
        ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await end(*tasks)
    for task in ended:
        task.result()
