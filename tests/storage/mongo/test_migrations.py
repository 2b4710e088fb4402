"""Indexes at the start: the ones that are promised, by however many nodes, never backwards."""

import asyncio
import socket
import uuid
from collections.abc import AsyncGenerator, Iterator

import pytest
from pymongo import AsyncMongoClient

from parley.storage.errors import StorageError, StorageUnavailable
from parley.storage.mongo.database import Document, MongoDatabase
from parley.storage.mongo.migrations import MIGRATIONS
from tests import mongod

pytestmark = pytest.mark.mongo

PROMISED: dict[str, dict[tuple[str, ...], bool]] = {
    "messages": {
        ("room_id", "rev"): True,
        ("room_id", "client_id", "from"): True,
        ("room_id", "created_at"): False,
        ("from", "created_at"): False,
        ("to", "created_at"): False,
        ("type",): False,
    },
    "rooms": {("owner",): False, ("type",): False},
    "members": {("room_id", "user_id"): True},
    "users": {("last_seen",): False},
    "inbox": {("user_id", "rev"): True, ("client_id", "user_id"): True},
    "muted_rooms": {("user_id", "room_id"): False},
    "publications": {("publisher", "client_id"): True},
}
"""Keys by collection, and whether they are unique."""


@pytest.fixture
def name() -> Iterator[str]:
    name = f"parley_migrations_{uuid.uuid4().hex}"
    yield name
    with mongod.client() as client:
        client.drop_database(name)


@pytest.fixture
async def client() -> AsyncGenerator["AsyncMongoClient[Document]", None]:
    async with AsyncMongoClient[Document](mongod.url()) as client:
        yield client


async def open_once(name: str) -> None:
    """Do what a node does at its start."""
    async with MongoDatabase.open(mongod.url(), name, timeout_ms=20_000):
        pass


async def indexes(client: "AsyncMongoClient[Document]", name: str) -> dict[str, Document]:
    """Return what each collection has."""
    found: dict[str, Document] = {}
    for collection in sorted(await client[name].list_collection_names()):
        information = await client[name][collection].index_information()
        found[collection] = {i: information[i] for i in sorted(information)}
    return found


async def test_the_promised_indexes_are_there(
    client: "AsyncMongoClient[Document]", name: str
) -> None:
    """After the first start, and neither more nor others after the second."""
    await open_once(name)
    first = await indexes(client, name)
    for collection, promised in PROMISED.items():
        there = {
            tuple(key for key, _ in index["key"]): index.get("unique", False)
            for name, index in first[collection].items()
            if name != "said_at_position"  # of the same keys as that of positions
        }
        assert promised.items() <= there.items()
    await open_once(name)
    assert await indexes(client, name) == first


async def test_many_nodes_may_start_at_once(
    client: "AsyncMongoClient[Document]", name: str
) -> None:
    """Over an empty database: each gets through, and it is as if one had."""
    await asyncio.gather(*[open_once(name) for _ in range(8)])
    schema = await client[name]["schema"].find({"version": {"$exists": True}}).to_list()
    assert schema == [{"_id": "schema", "version": len(MIGRATIONS)}]
    together = await indexes(client, name)
    await client.drop_database(name)
    await open_once(name)
    assert await indexes(client, name) == together


async def test_a_start_that_broke_off_is_made_good(
    client: "AsyncMongoClient[Document]", name: str
) -> None:
    """The version is raised last: so what is missing is made by the next start."""
    await open_once(name)
    whole = await indexes(client, name)
    await client[name]["schema"].delete_many({})
    await client[name]["members"].drop_indexes()
    await open_once(name)
    assert await indexes(client, name) == whole


async def test_indexes_that_a_restore_left_out_are_made(
    client: "AsyncMongoClient[Document]", name: str
) -> None:
    """Though the version says that they are there."""
    await open_once(name)
    whole = await indexes(client, name)
    for collection in ("messages", "members", "inbox"):
        await client[name][collection].drop_indexes()
    await open_once(name)
    assert await indexes(client, name) == whole


async def test_a_database_of_a_newer_release_is_refused(
    client: "AsyncMongoClient[Document]", name: str
) -> None:
    """It is left as it is."""
    newer = {"_id": "schema", "version": len(MIGRATIONS) + 1}
    await client[name]["schema"].insert_one(newer)
    with pytest.raises(StorageError, match="used by a newer release"):
        await open_once(name)
    assert await client[name].list_collection_names() == ["schema"]


async def test_nobody_at_home_is_told_at_once() -> None:
    """No primary within the time of one operation."""
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        url = f"mongodb://127.0.0.1:{deaf.getsockname()[1]}/?replicaSet=rs0"
        with pytest.raises(StorageUnavailable, match="MongoDB does not answer"):
            async with MongoDatabase.open(url, "parley", timeout_ms=300):
                pass


async def test_another_replica_set_is_named_as_the_cause() -> None:
    """The driver takes such a server for none at all."""
    url = mongod.url().replace("replicaSet=", "replicaSet=not-")
    with pytest.raises(StorageError, match="MONGODB_URL: no host there is a member") as refused:
        async with MongoDatabase.open(url, "parley", timeout_ms=1_000):
            pass
    assert not isinstance(refused.value, StorageUnavailable)  # waiting does not cure it


async def test_who_is_not_let_in_is_told_what_to_look_at() -> None:
    url = mongod.url().replace("mongodb://", "mongodb://nobody:canary@")
    with pytest.raises(StorageError, match="MONGODB_URL: MongoDB does not let its user") as refused:
        async with MongoDatabase.open(url, "parley", timeout_ms=10_000):
            pass
    assert "canary" not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        "mongodb://user:canary@",
        "mongodb://user:ca/nary@host",
        "mongodb://host:canary",
        "mongodb://user:canary@host/?tls=true&tlsCAFile=/nowhere",
    ],
)
async def test_a_url_of_no_use_does_not_show_its_password(url: str) -> None:
    """The driver's own sentence would."""
    with pytest.raises(StorageError) as refused:
        async with MongoDatabase.open(url, "parley", timeout_ms=300):
            pass
    assert "MONGODB_URL is of no use" in str(refused.value)
    assert "nary" not in str(refused.value)
