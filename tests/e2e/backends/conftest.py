"""Two nodes of a cluster, and backends with stock's managers."""

import time
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from tests import mongod
from tests.clients import Client
from tests.e2e.backends.backend import EVENTS, Backend, Nodes, Visit
from tests.faults.cluster.nodes import Cluster
from tests.redis_server import RedisServer
from tests.servers import ServerProcess


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    """Return the Redis of the two nodes."""
    server = RedisServer()
    yield server
    server.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def nodes(
    tmp_path_factory: pytest.TempPathFactory, redis: RedisServer
) -> AsyncIterator[Nodes]:
    """Return two nodes; what has gone wrong in one is seen in the end."""
    database = f"{mongod.DATABASE}_{time.monotonic_ns()}"
    where = {"MONGODB_URL": mongod.url(), "PARLEY_MONGODB_DATABASE": database}
    folder = tmp_path_factory.mktemp("nodes")
    cluster = await Cluster(folder, redis=redis, mongodb=where, size=2).start()
    one, two = cluster.nodes
    yield one, two
    assert await cluster.stop() == [0, 0]
    assert not any(b"Traceback" in line for line in [*one.output, *two.output])
    with mongod.client() as client:
        client.drop_database(database)


@pytest_asyncio.fixture(loop_scope="module")
async def visit() -> AsyncIterator[Visit]:
    """Return what connects a user to a node, with the stock client for Python."""
    clients: list[Client] = []

    async def visit(node: ServerProcess, user_id: str) -> Client:
        client = Client()
        client.foreign = EVENTS
        clients.append(client)
        await client.connect(node.url, node.token(user_id))
        await client.ready()
        return client

    yield visit
    for client in clients:
        await client.close()


@pytest.fixture
def manager() -> str:
    """Return the manager where it does not matter."""
    return "AsyncRedisManager"


@pytest_asyncio.fixture(loop_scope="module")
async def backend(manager: str, redis: RedisServer) -> AsyncIterator[Backend]:
    """Return a backend with the manager of the test."""
    async with Backend.running(manager, redis.url) as backend:
        yield backend
