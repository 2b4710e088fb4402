"""An open database, and a server that fails on demand."""

from collections.abc import AsyncGenerator, Iterator

import pytest

from parley.storage.mongo.database import MongoDatabase
from tests import mongod
from tests.storage.mongo.failing import Failing
from tests.storage.stores import Store, empty_mongo, mongo_store


@pytest.fixture
def url(request: pytest.FixtureRequest) -> str:
    """Return where MongoDB is: our own server for a test that makes it fail."""
    return mongod.single().url if "failing" in request.fixturenames else mongod.url()


@pytest.fixture
async def database(url: str) -> AsyncGenerator[MongoDatabase, None]:
    async with empty_mongo(url) as database:
        yield database


@pytest.fixture
def store(database: MongoDatabase) -> Store:
    return mongo_store(database)


@pytest.fixture
async def elsewhere(url: str, database: MongoDatabase) -> AsyncGenerator[Store, None]:
    """Return the same database as another node has it: with a client and knowledge of its own."""
    async with MongoDatabase.open(url, database.name) as other:
        yield mongo_store(other)


@pytest.fixture
async def hasty(url: str, database: MongoDatabase) -> AsyncGenerator[Store, None]:
    """Return the store of a node that does not wait for a majority for long."""
    async with MongoDatabase.open(url, database.name, timeout_ms=400) as other:
        yield mongo_store(other)


@pytest.fixture
def failing() -> Iterator[Failing]:
    """Return what makes the server of `database` fail; it is whole again afterwards."""
    with mongod.single().members[0].client() as client:
        failing = Failing(client)
        yield failing
        failing.stop()
