"""Fixtures for tests that share an event loop, a server and a Node.js process in a module.

Such a module says ``pytestmark = pytest.mark.asyncio(loop_scope="module")`` and has a fixture
``server``, its own or the shared one.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from functools import partial
from typing import Any

import pytest
import pytest_asyncio

from tests.clients import ChatClient, Client
from tests.e2e.door import Door
from tests.e2e.presence import GRACE_MS, Come, People
from tests.e2e.stock import Enter, Stock
from tests.node_client import Node, NodeClient
from tests.page import Browser
from tests.page_visits import Visit, browsing, running, visits
from tests.servers import ServerProcess


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ServerProcess]:
    """Return a server that the module's other tests use too: each has users of its own."""
    process = ServerProcess(tmp_path_factory.mktemp("server") / "data")
    await process.start()
    yield process
    await process.kill()  # not SIGTERM, which waits for clients whose network a test took away


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def node() -> AsyncIterator[Node]:
    """Return a Node.js process for the module's JavaScript clients."""
    process = await Node().start()
    yield process
    await process.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def door(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Door]:
    """Return a server in this process, with two people who talk."""
    async with Door.open(tmp_path_factory.mktemp("door")) as door:
        yield door


@pytest.fixture
def new_client(stock: Stock, request: pytest.FixtureRequest) -> Callable[..., ChatClient]:
    """Return what makes a client that is not connected; it takes the options of its library."""
    if stock.language == "python":
        return Client
    # Only here: a machine without Node.js runs the rest.
    node: Node = request.getfixturevalue("node")
    return partial(NodeClient, node)


@pytest_asyncio.fixture(loop_scope="module")
async def enter(
    stock: Stock, new_client: Callable[..., ChatClient], server: ServerProcess
) -> AsyncIterator[Enter]:
    """Return what brings a user in with the stock client of the test; see `Enter`."""
    clients: list[ChatClient] = []

    async def enter(
        user_id: str,
        *,
        url: str | None = None,
        since: Mapping[str, str | None] | None = None,
        **options: Any,
    ) -> ChatClient:
        client = new_client(**options)
        clients.append(client)
        token = server.token(user_id)
        await client.connect(url or server.url, token, since=since, transports=stock.transports)
        await client.ready()
        if isinstance(client, NodeClient) and stock.transport == "upgrade":
            await client.event("@upgrade")
        return client

    yield enter
    for client in clients:
        await client.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def short_grace(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ServerProcess]:
    """Return a server on which somebody who has left is soon offline."""
    env = {"PARLEY_PRESENCE_GRACE_MS": str(GRACE_MS)}
    process = await ServerProcess(tmp_path_factory.mktemp("server") / "data", env).start()
    yield process
    await process.stop()


@pytest_asyncio.fixture(loop_scope="module")
async def people(server: ServerProcess) -> People:
    """Return users of the test's own."""
    return await People.meet(server)


@pytest_asyncio.fixture(loop_scope="module")
async def come(
    stock: Stock, new_client: Callable[..., ChatClient], server: ServerProcess
) -> AsyncIterator[Come]:
    """Return what connects users with the stock client of the test; see `Come`."""
    clients: list[ChatClient] = []

    async def come(user_id: str, namespace: str = "/presence") -> ChatClient:
        client = new_client(namespace=namespace, reconnection=False)
        clients.append(client)
        await client.connect(server.url, server.token(user_id), transports=stock.transports)
        if namespace == "/chat":
            await client.ready()
        else:
            await client.event("status", lambda data: data["content"]["user_id"] == user_id)
        return client

    yield come
    for client in clients:
        await client.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def page_server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ServerProcess]:
    """Return a server with the chat page that the module's tests share."""
    async with running(tmp_path_factory.mktemp("server") / "data") as server:
        yield server


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    """Return a browser that the module's tests share."""
    async with browsing() as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="module")
async def visit(browser: Browser, server: ServerProcess) -> AsyncIterator[Visit]:
    """Return what opens the page."""
    async with visits(browser, server) as visit:
        yield visit
