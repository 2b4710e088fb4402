"""Databases in the Redis servers of a test run, empty: a single server, and a cluster."""

import contextlib
from collections.abc import AsyncGenerator
from functools import cache
from typing import Any
from unittest.mock import patch

import pytest

from parley.storage.redis import database as redis_database
from parley.storage.redis import scripts
from parley.storage.redis.database import RedisDatabase
from tests import redis_server
from tests.redis_server import RedisServer

PATIENCE_S = 20.0

REDIS = [
    pytest.param("redis", marks=pytest.mark.redis),
    pytest.param("cluster", marks=pytest.mark.redis),
]
"""Parameters of a fixture, for `empty`."""


@contextlib.asynccontextmanager
async def empty(name: str) -> AsyncGenerator[RedisDatabase, None]:
    """Open the database of a server or a cluster with nothing in it."""
    cluster = name == "cluster"
    url = f"redis+cluster://127.0.0.1:{_cluster().port}" if cluster else redis_server.url()
    # A test of what it does is no test of how fast this machine is.
    with (
        patch.object(scripts, "ANSWER_S", PATIENCE_S),
        patch.object(redis_database, "ANSWER_S", PATIENCE_S),
    ):
        async with RedisDatabase.open(url) as database:
            await flush(database)
            yield database


async def flush(database: RedisDatabase) -> None:
    """Let Redis lose everything."""
    commands: Any = database.commands
    await commands.flushdb()


@cache
def _cluster() -> RedisServer:
    """Return a cluster of one: it refuses what is of two slots, as a larger one does."""
    # Of its own choice it would take a port that is too high, or taken.
    port = str(redis_server.free_port())
    server = RedisServer("--cluster-enabled", "yes", "--cluster-port", port)
    redis_server.until_the_end(server)
    with server.client() as client:
        command: Any = client.execute_command
        command("CLUSTER", "ADDSLOTSRANGE", 0, 16_383)
        while "cluster_state:ok" not in str(command("CLUSTER", "INFO")):
            pass
    return server
