"""An open database."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from parley.storage.sqlite.database import Database
from tests.storage.stores import Store, sqlite_store


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
async def database(folder: Path) -> AsyncGenerator[Database, None]:
    async with Database.open(folder) as database:
        yield database


@pytest.fixture
def store(database: Database) -> Store:
    return sqlite_store(database)
