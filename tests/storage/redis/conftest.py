"""Servers of a test's own, and buses of two nodes on them."""

from collections.abc import AsyncGenerator, Generator

import pytest

from parley.storage.redis.bus import RedisBus
from tests.redis_server import RedisCluster, RedisServer, Watched
from tests.storage.redis.buses import opened_bus

Buses = tuple[RedisBus, RedisBus]


@pytest.fixture
def server() -> Generator[RedisServer]:
    server = RedisServer()
    yield server
    server.close()


@pytest.fixture
def watched() -> Generator[Watched]:
    watched = Watched()
    yield watched
    watched.close()


@pytest.fixture
def cluster() -> Generator[RedisCluster]:
    cluster = RedisCluster()
    yield cluster
    cluster.close()


@pytest.fixture
async def buses(server: RedisServer) -> AsyncGenerator[Buses]:
    """Return the bus of a node that listens, and of one that publishes."""
    async with opened_bus(server.url) as listening, opened_bus(server.url) as publishing:
        yield listening, publishing
