"""A plain `Server` in this process, and stock clients over every transport."""

# pyright: standard
# (python-socketio ships without types)

from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import pytest
import pytest_asyncio

from parley.server.engine.server import Server
from tests.conformance.server import application
from tests.e2e.stock import Stock
from tests.engines import CALM, House
from tests.node_client import Node
from tests.server.engine.api.guests import NAMESPACE, Guest, NodeGuest, PythonGuest


class Invite(Protocol):
    """Connects a stock client; returns it with its id."""

    async def __call__(self) -> tuple[Guest, str]:
        """Connect one more."""
        ...


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def node() -> AsyncIterator[Node]:
    """Return a Node.js process for the module's JavaScript clients."""
    process = await Node().start()
    yield process
    await process.close()


@pytest_asyncio.fixture(loop_scope="module")
async def house() -> AsyncIterator[House]:
    """Return a server of the test's own, with nothing but a namespace that lets everybody in."""
    sio = Server(cors_allowed_origins=[], **CALM)

    async def let_in(sid: str, environ: dict[str, Any], auth: Any) -> None:
        """Refuse nobody."""

    sio.on("connect", let_in, namespace=NAMESPACE)
    async with House.open(application(sio, "socket.io")) as house:
        yield house


@pytest.fixture
def sio(house: House) -> Any:
    """Return the server."""
    return house.server


@pytest.fixture
def new_guest(stock: Stock, request: pytest.FixtureRequest) -> Callable[[], Guest]:
    """Return what makes the stock client of the test."""
    if stock.language == "python":
        return PythonGuest
    # Only here: a machine without Node.js runs the rest.
    node: Node = request.getfixturevalue("node")
    return partial(NodeGuest, node)


@pytest_asyncio.fixture(loop_scope="module")
async def invite(
    house: House, stock: Stock, new_guest: Callable[[], Guest]
) -> AsyncIterator[Invite]:
    """Return what connects the stock client of the test, on the transport it uses in the end."""
    guests: list[Guest] = []

    async def invite() -> tuple[Guest, str]:
        guest = new_guest()
        guests.append(guest)
        known = set(house.server.manager.sids(NAMESPACE, None))
        await guest.connect(house.origin, None, transports=stock.transports)
        (sid,) = set(house.server.manager.sids(NAMESPACE, None)) - known
        await house.until(lambda: house.server.transport(sid, NAMESPACE) == stock.final)
        return guest, sid

    yield invite
    for guest in guests:
        await guest.close()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run these on one Python: 3.13.0 raises in a transport that a loop left behind."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.slow)
