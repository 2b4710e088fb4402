"""A cluster of the test's own, and one room in it."""

import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests import mongod
from tests.faults.cluster.nodes import Cluster
from tests.faults.room import Room
from tests.redis_server import RedisServer


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    """Return a Redis that the test may kill."""
    server = RedisServer()
    yield server
    server.close()


@pytest.fixture
async def cluster(tmp_path: Path, redis: RedisServer) -> AsyncIterator[Cluster]:
    """Return three nodes whose database is the test's own."""
    database = f"{mongod.DATABASE}_{time.monotonic_ns()}"
    where = {"MONGODB_URL": mongod.url(), "PARLEY_MONGODB_DATABASE": database}
    cluster = await Cluster(tmp_path, redis=redis, mongodb=where).start()
    yield cluster
    await cluster.stop()
    with mongod.client() as client:
        client.drop_database(database)


@pytest.fixture
async def room(cluster: Cluster) -> AsyncIterator[Room]:
    """Return an open room; its reader is on the first node."""
    room = await Room(cluster.nodes[0]).open()
    yield room
    await room.close()
