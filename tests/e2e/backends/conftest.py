"""Two nodes with a Redis in common and nothing else, and backends with stock's managers."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests import redis_server
from tests.clients import Client
from tests.e2e.backends.backend import EVENTS, Backend, Nodes, Visit
from tests.servers import ServerProcess


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def nodes(
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Nodes]:
    """Return two nodes."""
    folder = tmp_path_factory.mktemp("nodes")
    env = {"REDIS_URL": redis_server.url()}
    one, two = ServerProcess(folder / "one", env), ServerProcess(folder / "two", env)
    await asyncio.gather(one.start(), two.start())
    yield one, two
    assert (await one.stop(), await two.stop()) == (0, 0)
    assert not any(b"Traceback" in line for line in [*one.output, *two.output])


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
async def backend(manager: str) -> AsyncIterator[Backend]:
    """Return a backend with the manager of the test."""
    async with Backend.running(manager, redis_server.url()) as backend:
        yield backend
