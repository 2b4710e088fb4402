"""A database, and two nodes over it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from parley.storage.sqlite.database import Database
from tests.namespaces.chat.nodes import Nodes


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with Database.open(tmp_path) as database:
        yield database


@pytest.fixture
def nodes(database: Database) -> Nodes:
    return Nodes(database)
