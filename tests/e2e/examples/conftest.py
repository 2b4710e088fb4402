"""What the tests of the examples share: a server like that of `make run`, and Alice."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.clients import Client
from tests.servers import ServerProcess


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[ServerProcess]:
    """Return a server as `make run` starts it."""
    process = ServerProcess(tmp_path / "data", {"PARLEY_DEV_LOGIN": "1"})
    await process.start()
    yield process
    await process.kill()


@pytest.fixture
async def alice(server: ServerProcess) -> AsyncIterator[Client]:
    """Return somebody who talks to the examples, and comes back by herself."""
    client = Client(reconnection=True)
    await client.connect(server.url, server.token("alice"))
    await client.ready()
    yield client
    await client.close()
