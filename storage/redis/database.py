"""A connection to Redis: one server, one behind Sentinels, or a cluster."""

import contextlib
from collections.abc import AsyncGenerator, Generator
from typing import Any, Self

from redis.asyncio import Redis, RedisCluster
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import NoBackoff

from parley.storage.errors import StorageUnavailable
from parley.storage.redis.address import Address
from parley.storage.redis.servers import FAILURES, AnyServer, ClusterServers, OneServer, Servers

ANSWER_S = 1.0  # for a connection or an answer; who waits for a message waits for this

Commands = Redis | RedisCluster


class RedisDatabase:
    """Commands to Redis, each tried once: what is not safe to repeat is not repeated.

    Only what the server refused to do is asked again: a cluster answers ``MOVED`` and does nothing.
    """

    def __init__(self, commands: Commands, servers: Servers) -> None:
        self.commands = commands
        self.servers = servers  # for who keeps a connection of its own

    @property
    def everywhere(self) -> Servers:
        """Return where ordinary Pub/Sub is said and heard: at any server."""
        servers = self.servers
        return AnyServer(servers) if isinstance(servers, ClusterServers) else servers

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, url: str) -> AsyncGenerator[Self]:
        """Connect when it is first needed, and let go in the end.

        Args:
            url: ``redis://``, ``rediss://``, ``unix://``, or with several hosts
                ``redis+sentinel://host1,host2/master_name[/db]``, ``redis+cluster://host1,host2``
                and the same with ``rediss+``; see `Address`.

        Raises:
            ValueError: The URL is none of these.
        """
        address = Address.parse(url)
        async with contextlib.AsyncExitStack() as stack:
            if address.kind == "cluster":
                cluster = _cluster(address)
                stack.push_async_callback(cluster.aclose)
                yield cls(cluster, ClusterServers(cluster))
                return
            if address.kind == "sentinel":
                commands = _behind(_sentinel(address, stack), address)
            else:
                commands = Redis.from_url(address.url, **_options())
            stack.push_async_callback(commands.aclose)
            yield cls(commands, OneServer(commands.connection_pool))


def _options() -> dict[str, Any]:
    return {
        "socket_timeout": ANSWER_S,
        "socket_connect_timeout": ANSWER_S,
        "retry": Retry(NoBackoff(), 0),
    }


def _cluster(address: Address) -> RedisCluster:
    return RedisCluster(
        startup_nodes=[ClusterNode(host, port) for host, port in address.hosts],
        username=address.username,
        password=address.password,
        ssl=address.tls,
        **_options(),
    )


def _sentinel(address: Address, stack: contextlib.AsyncExitStack) -> Sentinel:
    login = {"username": address.sentinel_username, "password": address.sentinel_password}
    options = {**_options(), **login, "ssl": address.tls}
    sentinel = Sentinel(address.hosts, sentinel_kwargs=options)  # type: ignore[no-untyped-call]
    stack.push_async_callback(sentinel.aclose)
    return sentinel


def _behind(sentinel: Sentinel, address: Address) -> Redis:
    master: Redis = sentinel.master_for(
        address.master,
        db=address.db,
        username=address.username,
        password=address.password,
        ssl=address.tls,
        **_options(),
    )
    return master


@contextlib.contextmanager
def translated() -> Generator[None]:
    """Raise what Redis does as `StorageUnavailable`."""
    try:
        yield
    except FAILURES as error:
        raise StorageUnavailable(f"Redis: {error}") from error
