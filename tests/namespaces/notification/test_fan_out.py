"""A fan-out that a node of a cluster left is gone on with by another one, and by no more."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from parley.namespaces.notification import publishing
from parley.storage.models import ClientId, UserId
from parley.storage.mongo.database import MongoDatabase
from parley.storage.notifications import Audience, Publication
from tests import mongod
from tests.namespaces.notification.world import Node, World
from tests.storage.inboxes import notice, publication
from tests.storage.stores import Store, empty_mongo, mongo_store

pytestmark = pytest.mark.mongo

USERS = tuple(UserId(f"user{n}") for n in range(7))


@pytest.fixture
async def database() -> AsyncIterator[MongoDatabase]:
    async with empty_mongo(mongod.url()) as database:
        yield database


@pytest.fixture
async def begun(database: MongoDatabase) -> Publication:
    """Return a publication as a node leaves it that dies after adding a page."""
    store = mongo_store(database)
    begun = await store.publications.begin(publication(audience=Audience(user_ids=USERS), total=7))
    half = replace(begun, done=2, stored=2, after=USERS[1])
    await store.publications.advance(half)
    for user in USERS[:4]:
        await store.notifications.add([notice(user, client_id=ClientId(f"pub:{begun.id}"))])
    return half


@pytest.fixture
async def elsewhere(
    database: MongoDatabase, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Store, Node]]:
    """Return another node of the cluster."""
    monkeypatch.setattr(publishing, "PAGE_USERS", 2)
    async with MongoDatabase.open(mongod.url(), database.name) as other:
        world = World(mongo_store(other))
        world.delays.open = True
        node = world.node()
        await node.domain.begin()
        yield world.store, node
        await node.domain.stop()


async def counts(store: Store) -> list[int]:
    heads = await store.notifications.heads(USERS)
    return [heads[user].rev for user in USERS]


async def test_what_a_dead_node_left_reaches_each_user_once(
    database: MongoDatabase, begun: Publication, elsewhere: tuple[Store, Node]
) -> None:
    store, node = elsewhere
    await database.publications.update_many({}, {"$set": {"held_until": 0}})
    await node.domain.upkeep.once()
    publisher = node.domain.services.publisher
    await asyncio.gather(*publisher._running.values())
    progress = await publisher.progress(begun.id)
    assert progress.finished
    assert (progress.done, progress.stored) == (7, 2 + 3)  # a page was added and not noted
    assert await counts(store) == [1] * 7


async def test_what_a_living_node_is_at_is_left_to_it(
    begun: Publication, elsewhere: tuple[Store, Node]
) -> None:
    store, node = elsewhere
    await node.domain.upkeep.once()
    await node.domain.stop()
    assert await node.domain.services.publisher.progress(begun.id) == begun
    assert await counts(store) == [1] * 4 + [0] * 3
