"""Fixtures that every folder of tests may use."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests import mongod, redis_server
from tests.clients import Client
from tests.servers import ServerProcess
from tests.shapes import surprises

Connect = Callable[..., Awaitable[Client]]

# Machines are shared: how long something took says nothing about it.
settings.register_profile("shared", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared")


def pytest_sessionfinish() -> None:
    """End the servers that the whole run has shared."""
    mongod.stop()
    redis_server.stop()


@pytest.fixture(autouse=True)
def only_what_has_a_shape() -> Iterator[None]:
    """Fail a test whose clients heard what the documents do not describe."""
    yield
    heard = list(surprises)
    surprises.clear()
    assert not heard


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[ServerProcess]:
    """Return a running server of the test's own."""
    process = ServerProcess(tmp_path / "data")
    await process.start()
    yield process
    await process.stop()


@pytest.fixture
async def connect(server: ServerProcess) -> AsyncIterator[Connect]:
    """Return a function that connects a user to the server and waits for her catch-up."""
    clients: list[Client] = []

    async def connect(user_id: str, *, ready: bool = True, **options: Any) -> Client:
        client = await Client().connect(server.url, server.token(user_id), **options)
        clients.append(client)
        if ready:
            await client.ready()
        return client

    yield connect
    for client in clients:
        await client.close()
