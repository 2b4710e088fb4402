"""Several nodes of one MongoDB: what one has left another goes on with, and no more than one."""

# pyright: reportPrivateUsage=false

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import pytest

from parley.namespaces.notification import publishing
from parley.namespaces.notification.alerts import CHECKPOINT
from parley.storage.models import ClientId, Draft, UserId
from parley.storage.mongo.database import MongoDatabase
from parley.storage.notifications import Audience, Publication
from tests import mongod
from tests.namespaces.notification.world import Node, World
from tests.storage.drafts import ANN, BOB, append, deleted, edited, new_room, said
from tests.storage.inboxes import notice, publication
from tests.storage.mongo.failing import Failing
from tests.storage.stores import Store, empty_mongo, mongo_store
from tests.until import PATIENCE_S

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
        world = open_world(other)
        node = world.node()
        await node.domain.begin()
        yield world.store, node
        await node.domain.stop()


def open_world(database: MongoDatabase) -> World:
    """Return a world in which nothing is held."""
    world = World(mongo_store(database))
    world.delays.open = True
    return world


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


async def test_what_a_dead_node_had_not_told_is_told_though_others_have_gone_on(
    database: MongoDatabase, elsewhere: tuple[Store, Node]
) -> None:
    """The checkpoint of the other one is behind the message by then, its own is not."""
    dead, other = open_world(database), elsewhere[1]
    await dead.node().domain.begin()
    room_id = await new_room(dead.store, ANN, BOB)
    await append(dead.store, room_id, said(ANN, "acked", mentions=[BOB]))
    await other.domain.alerts.keep_checkpoint()  # in this world it is years later
    for _ in range(2):
        async with MongoDatabase.open(mongod.url(), database.name) as third:
            await open_world(third).node().domain.begin()
        (told,) = await dead.store.notifications.listed(BOB, limit=9)
        assert told.content["body"] == "acked"


@pytest.mark.mongod
async def test_what_storage_did_not_take_is_told_as_soon_as_it_does() -> None:
    """And put right, and taken back; until then the checkpoint stays: a crash loses nothing."""
    server = mongod.single()
    async with empty_mongo(server.url) as database:
        world = open_world(database)
        alerts, upkeep = (node := world.node()).domain.alerts, node.domain.upkeep
        await node.domain.begin()
        kept = await world.store.publications.checkpoint(CHECKPOINT)
        room_id = await new_room(world.store, ANN, BOB)
        (message,) = await append(world.store, room_id, said(ANN, "1", mentions=[BOB]))
        snapshot = await world.store.rooms.get(room_id)
        assert snapshot is not None
        room, members = snapshot.room, {m.user_id: m for m in snapshot.members}
        edit, deletion = edited(ANN, message.id, "one"), deleted(ANN, message.id)
        with server.members[0].client() as client:
            failing = Failing(client)
            steps: list[tuple[str, list[Draft], Callable[[], None], list[str]]] = [
                ("insert", [], lambda: alerts.note(room, members, message), ["1"]),
                ("commitTransaction", [edit], lambda: alerts.revise(room, message.id), ["one"]),
                ("commitTransaction", [deletion], lambda: alerts.revise(room, message.id), []),
            ]
            for command, change, work, left in steps:
                await append(world.store, room_id, *change)
                failing.commands(command, times=None, errorCode=6)
                work()
                await alerts.settled()
                failing.stop()
                assert kept == await world.store.publications.checkpoint(CHECKPOINT)
                # What was broken off may hold its locks a moment longer on a busy machine.
                async with asyncio.timeout(PATIENCE_S):
                    while await _bodies(world, BOB) != left:
                        await upkeep.once()
                        await alerts.settled()
                kept = await world.store.publications.checkpoint(CHECKPOINT)


async def _bodies(world: World, user_id: UserId) -> list[str]:
    listed = await world.store.notifications.listed(user_id, limit=9)
    return [told.content["body"] for told in listed]
