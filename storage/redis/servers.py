"""The servers that channels live at: one, or the masters of a cluster."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncGenerator, Set
from dataclasses import dataclass
from typing import Protocol

from redis.asyncio import RedisCluster
from redis.asyncio.connection import AbstractConnection, ConnectionPool
from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    NoPermissionError,
    RedisClusterException,
    RedisError,
    ResponseError,
)

FAILURES = (RedisError, RedisClusterException, OSError)
"""What Redis does when it is not there, or not as it should be."""

SLOTS = 16_384
CONNECT_S = 2.0  # with the handshake; behind Sentinels with asking them


def advice(error: Exception) -> str:
    """Return where to look for what waiting will hardly cure; empty where it may."""
    refused = isinstance(error, AuthenticationError | AuthorizationError | NoPermissionError)
    if refused or (isinstance(error, ResponseError) and "DB index" in str(error)):
        return "; look at user, password and database in REDIS_URL"
    cause = error.__cause__ or error.__context__
    if isinstance(cause, socket.gaierror | ssl.SSLError | FileNotFoundError):
        return "; look at REDIS_URL"
    return ""


@dataclass(frozen=True, slots=True)
class Words:
    """The commands that a kind of Redis has for one thing."""

    subscribe: bytes
    unsubscribe: bytes
    publish: bytes


class Servers(Protocol):
    """Where each channel lives. What it says may be old; `refresh` asks."""

    words: Words

    def names(self) -> Set[str]:
        """Return every server that has channels; none as long as that is not known."""
        ...

    def of(self, channel: bytes) -> str | None:
        """Return the server of a channel; None: that is not known."""
        ...

    def channel(self, name: str, prefix: str) -> bytes:
        """Return a channel that begins with ``prefix`` and lives at a server.

        Raises:
            FAILURES: None does.
        """
        ...

    async def refresh(self) -> None:
        """Ask where channels live.

        Raises:
            FAILURES: Nobody answers.
        """
        ...

    def connection(self, name: str) -> contextlib.AbstractAsyncContextManager[AbstractConnection]:
        """Connect to a server, and disconnect in the end.

        Raises:
            FAILURES: It does not answer.
        """
        ...


class OneServer:
    """See `Servers`. Behind Sentinels: whoever they say is the master."""

    words = Words(b"SUBSCRIBE", b"UNSUBSCRIBE", b"PUBLISH")

    def __init__(self, pool: ConnectionPool) -> None:
        self._pool = pool

    def names(self) -> Set[str]:
        """See `Servers`."""
        return {"redis"}

    def of(self, channel: bytes) -> str | None:
        """See `Servers`."""
        return "redis"

    def channel(self, name: str, prefix: str) -> bytes:
        """See `Servers`."""
        return prefix.encode()

    async def refresh(self) -> None:
        """See `Servers`."""

    @contextlib.asynccontextmanager
    async def connection(self, name: str) -> AsyncGenerator[AbstractConnection]:
        """See `Servers`."""
        # Made, not taken: the pool closes what it has given out when a Sentinel names another one.
        made: AbstractConnection = self._pool.make_connection()  # type: ignore[no-untyped-call]
        async with _connected(made) as connection:
            yield connection


class ClusterServers:
    """See `Servers`. Sharded Pub/Sub (Redis 7): a message stays on the shard of its channel."""

    words = Words(b"SSUBSCRIBE", b"SUNSUBSCRIBE", b"SPUBLISH")

    def __init__(self, cluster: RedisCluster) -> None:
        self._cluster = cluster

    def names(self) -> Set[str]:
        """See `Servers`."""
        slots = self._cluster.nodes_manager.slots_cache.values()
        return {nodes[0].name for nodes in slots}

    def of(self, channel: bytes) -> str | None:
        """See `Servers`."""
        nodes = self._cluster.nodes_manager.slots_cache.get(self._cluster.keyslot(channel))
        return nodes[0].name if nodes else None

    def channel(self, name: str, prefix: str) -> bytes:
        """See `Servers`."""
        for number in range(SLOTS):
            channel = f"{prefix}:{number}".encode()
            if self.of(channel) == name:
                return channel
        raise RedisError(f"{name} has no slots")

    async def refresh(self) -> None:
        """See `Servers`."""
        await self._cluster.initialize()
        await self._cluster.nodes_manager.initialize()

    @contextlib.asynccontextmanager
    async def connection(self, name: str) -> AsyncGenerator[AbstractConnection]:
        """See `Servers`."""
        node = self._cluster.get_node(node_name=name)
        if node is None:
            raise RedisError(f"{name} is not in the cluster any more")
        # Made, not taken: the client closes all it has given out when one command fails.
        async with _connected(node.connection_class(**node.connection_kwargs)) as connection:
            yield connection


class AnyServer(OneServer):
    """See `Servers`. Ordinary Pub/Sub, which the servers of a cluster pass on to one another.

    They count as one; each connection is to another of them.
    """

    def __init__(self, cluster: ClusterServers) -> None:
        self._cluster = cluster
        self._turns = 0

    async def refresh(self) -> None:
        """See `Servers`."""
        await self._cluster.refresh()

    @contextlib.asynccontextmanager
    async def connection(self, name: str) -> AsyncGenerator[AbstractConnection]:
        """See `Servers`."""
        async with asyncio.timeout(CONNECT_S):
            await self.refresh()
        names = sorted(self._cluster.names())
        if not names:
            raise RedisError("no server of the cluster has slots")
        self._turns += 1
        async with self._cluster.connection(names[self._turns % len(names)]) as connection:
            yield connection


@contextlib.asynccontextmanager
async def _connected(connection: AbstractConnection) -> AsyncGenerator[AbstractConnection]:
    try:
        async with asyncio.timeout(CONNECT_S):
            await connection.connect()  # type: ignore[no-untyped-call]
        connection.socket_timeout = None  # who listens to it says how long that may be silent
        yield connection
    finally:
        await connection.disconnect(nowait=True)
