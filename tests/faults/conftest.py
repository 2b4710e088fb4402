"""Servers, writers and a seed for tests with real faults."""

import os
import random
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bench.resilience.houses import House, ParleyHouse
from tests.faults.room import Room
from tests.node_client import Node
from tests.servers import ServerProcess

SEED = "PARLEY_TEST_SEED"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the machine to what takes long here: crowds, and faults that come at their time."""
    for item in items:
        if Path(__file__).parent in item.path.parents and item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.alone)


@pytest.fixture
def chance() -> random.Random:
    """Return randomness that can be had again: the seed is printed when the test fails."""
    seed = int(os.environ.get(SEED) or random.randrange(2**32))
    sys.stdout.write(f"{SEED}={seed}\n")
    return random.Random(seed)


@pytest.fixture
async def node() -> AsyncIterator[Node]:
    """Return a Node.js process for JavaScript clients."""
    process = await Node().start()
    yield process
    await process.close()


@pytest.fixture
async def room(server: ServerProcess, node: Node) -> AsyncIterator[Room]:
    """Return an open room; whoever came in is let go before ``node`` and ``server`` end."""
    room = await Room(server).open()
    yield room
    await room.close()


@pytest.fixture
def house() -> House:
    """Return where the crowds of ``make bench`` meet: a server that may be killed."""
    return ParleyHouse(parley=Path(sys.executable).with_name("parley"))
