"""A world over each store, in which nothing is held."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.namespaces.notification.world import World
from tests.storage.stores import NAMES, STORES


@pytest.fixture(params=NAMES)
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    async with STORES[request.param](tmp_path / "data") as store:
        world = World(store)
        world.delays.open = True
        yield world
