"""Databases in the Redis servers of a test run, empty: a single server, and a cluster."""

import contextlib
from collections.abc import AsyncGenerator
from functools import cache

import pytest
from redis import Redis

from parley.storage.redis.database import RedisDatabase
from tests import redis_server
from tests.redis_server import RedisServer

REDIS = [
    pytest.param("redis", marks=pytest.mark.redis),
    pytest.param("cluster", marks=pytest.mark.redis),
]
"""Parameters of a fixture, for `empty`."""


@contextlib.asynccontextmanager
async def empty(name: str) -> AsyncGenerator[RedisDatabase, None]:
    """Open the database of a server or a cluster with nothing in it."""
    url = (
        f"redis+cluster://127.0.0.1:{_cluster().port}" if name == "cluster" else redis_server.url()
    )
    async with RedisDatabase.open(url) as database:
        await database.commands.flushdb()
        yield database


@cache
def _cluster() -> RedisServer:
    """Return a cluster of one: it refuses what is of two slots, as a larger one does."""
    # Of its own choice it would take a port that is too high, or taken.
    port = str(redis_server.free_port())
    server = RedisServer("--cluster-enabled", "yes", "--cluster-port", port)
    redis_server.until_the_end(server)
    with Redis(port=server.port, decode_responses=True) as client:
        client.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16_383)
        while "cluster_state:ok" not in str(client.execute_command("CLUSTER", "INFO")):
            pass
    return server
