"""What a process knows of heads: how long it may write on it, and what it does not believe."""

import asyncio
from collections.abc import Callable

import pytest
from pymongo.monitoring import CommandStartedEvent

from parley.storage.errors import PositionTaken, StorageUnavailable
from parley.storage.models import Head, RoomId, Timestamp
from parley.storage.mongo.database import MongoDatabase
from parley.storage.mongo.documents import row_of_create
from parley.storage.mongo.heads import FRESH_S, KnownHeads
from tests import mongod
from tests.storage.drafts import ANN, BOB, EPOCH, append, head_of, new_room, said, texts
from tests.storage.mongo.recorder import Recorder
from tests.storage.stores import Store, mongo_store

ROOM = RoomId("a" * 24)


def head(rev: int, epoch: str = EPOCH) -> Head:
    return Head(epoch=epoch, rev=rev)


def test_a_head_may_be_written_on_for_a_while() -> None:
    """Then it is read again; being told of it anew begins a new while."""
    now = 100.0
    heads = KnownHeads(monotonic=lambda: now)
    assert heads.fresh(ROOM) is None
    heads.learn(ROOM, head(5))
    now += FRESH_S * 0.9
    assert heads.fresh(ROOM) == head(5)
    heads.learn(ROOM, head(5))
    now += FRESH_S * 0.9
    assert heads.fresh(ROOM) == head(5)
    now += FRESH_S
    assert heads.fresh(ROOM) is None
    assert heads.is_stale(ROOM, head(4))


def test_a_lower_head_is_stale() -> None:
    """It neither counts nor refreshes; that of another log is no comparison."""
    heads = KnownHeads()
    heads.learn(ROOM, head(5))
    heads.learn(ROOM, head(4))
    assert heads.fresh(ROOM) == head(5)
    assert heads.is_stale(ROOM, head(4))
    assert not heads.is_stale(ROOM, head(5))
    assert not heads.is_stale(ROOM, head(0, "ffffffff"))
    heads.forget(ROOM)
    assert heads.fresh(ROOM) is None
    assert not heads.is_stale(ROOM, head(4))


def test_what_another_node_says_counts_only_behind_what_is_known() -> None:
    """Who slept is told old positions when she wakes, and some may be free by then."""
    now = 100.0
    heads = KnownHeads(monotonic=lambda: now)
    heads.follow(ROOM, head(5), 6)
    assert heads.fresh(ROOM) is None
    heads.learn(ROOM, head(5))
    heads.follow(ROOM, head(6), 7)  # a gap
    heads.follow(ROOM, head(5, "ffffffff"), 7)
    assert heads.fresh(ROOM) == head(5)
    heads.follow(ROOM, head(5), 7)
    assert heads.fresh(ROOM) == head(7)
    now += FRESH_S
    heads.follow(ROOM, head(7), 8)
    assert heads.fresh(ROOM) is None
    assert heads.is_stale(ROOM, head(6))


async def test_what_was_in_the_way_is_told_by_its_node() -> None:
    heads = KnownHeads()
    heads.learn(ROOM, head(5))
    waiting = [asyncio.create_task(heads.beyond(ROOM, head(rev))) for rev in (4, 5, 5, 6)]
    other = asyncio.create_task(heads.beyond(ROOM, head(4, "ffffffff")))
    await asyncio.sleep(0)
    heads.follow(ROOM, head(5), 6)
    assert await asyncio.gather(*waiting) == [head(5), head(6), head(6), None]
    assert await other is None


@pytest.mark.mongo
async def test_what_another_node_tells_spares_the_look_at_the_head(
    database: MongoDatabase, elsewhere: Store
) -> None:
    """Also where its row was in the way of one: then that goes behind it, and nothing is read."""

    tells: list[Callable[[], None]] = []

    class Telling(Recorder):
        def started(self, event: CommandStartedEvent) -> None:
            super().started(event)
            for tell in tells:
                tell()

    recorder = Telling()
    async with MongoDatabase.open(mongod.url(), database.name) as quiet:
        room_id = await new_room(mongo_store(quiet), ANN, BOB)
    async with MongoDatabase.open(mongod.url(), database.name, listeners=[recorder]) as other:
        store = mongo_store(other)
        await append(store, room_id, said(ANN))
        await append(elsewhere, room_id, said(BOB))
        recorder.commands.clear()
        tells.append(lambda: store.messages.heard(room_id, epoch=EPOCH, after=3, rev=4))
        with pytest.raises(PositionTaken) as taken:
            await store.messages.append(room_id, epoch=EPOCH, after=3, drafts=[said(ANN)])
        assert taken.value.head == 4
        await store.messages.append(room_id, epoch=EPOCH, after=4, drafts=[said(ANN)])
        asked = [next(iter(command)) for command in recorder.commands]
    assert asked == ["insert", "insert"]


@pytest.mark.mongo
async def test_a_read_that_is_too_old_is_made_again(database: MongoDatabase, store: Store) -> None:
    """Here the database gets only later what this process knows to be durable."""
    room_id = await new_room(store, ANN)
    database.heads.learn(room_id, head(2))
    reading = asyncio.create_task(store.messages.changes(room_id, after=0))
    await append_behind(database, room_id)
    page = await reading
    assert (texts(page.messages), page.last) == (["", "late"], 2)


async def append_behind(database: MongoDatabase, room_id: RoomId) -> None:
    """Store a row without this process knowing it."""
    await database.messages.insert_many([row_of_create(room_id, said(ANN, "late"), 2)])


@pytest.mark.mongo
async def test_nothing_is_answered_from_a_read_that_stays_too_old(
    database: MongoDatabase, store: Store
) -> None:
    """Rows, and what is written on them: storage is not available, whoever answers for it."""
    room_id = await new_room(store, ANN, BOB)
    database.heads.learn(room_id, head(9))
    with pytest.raises(StorageUnavailable):
        await store.messages.changes(room_id, after=2)
    with pytest.raises(StorageUnavailable):
        await store.messages.append(room_id, epoch=EPOCH, after=2, drafts=[said(ANN)])
    database.heads.learn(room_id, head(9))
    with pytest.raises(StorageUnavailable):
        await store.members.mark_read(room_id, BOB, 9)
    assert (await store.messages.changes(room_id, after=0, limit=1)).last == 1


@pytest.mark.mongo
async def test_reads_are_of_a_majority_and_not_older_than_what_was_written(
    database: MongoDatabase,
) -> None:
    """Also for a primary that was elected a moment ago: it waits until it can answer so."""
    recorder = Recorder()
    async with MongoDatabase.open(mongod.url(), database.name, listeners=[recorder]) as other:
        store = mongo_store(other)
        room_id = await new_room(store, ANN, BOB)
        await append(store, room_id, said(ANN))
        recorder.commands.clear()
        await store.messages.changes(room_id, after=0)
        await store.messages.unread(room_id, BOB, after=0)
        await store.members.get(room_id, BOB)
        await store.rooms.heads([room_id])
        plain = [command["readConcern"] for command in recorder.commands]
        recorder.commands.clear()
        await store.rooms.get(room_id)
        await store.members.overviews(BOB, limit=9)
        views = [command["readConcern"] for command in recorder.commands]
    assert len(plain) >= 6
    for concern in plain:
        assert concern["level"] == "majority"
        assert "afterClusterTime" in concern
    # A view begins with such a read: what follows on the same server is not older.
    assert [concern["level"] for concern in views[:2]] == ["majority", "snapshot"]
    assert "afterClusterTime" in views[0]
    assert {concern["level"] for concern in views} == {"majority", "snapshot"}


@pytest.mark.mongo
async def test_a_head_that_is_lower_twice_is_told(database: MongoDatabase, store: Store) -> None:
    """Whoever asks for heads decides what it means, and reads go on from there."""
    room_id = await new_room(store, ANN)
    database.heads.learn(room_id, head(9))
    assert await head_of(store, room_id) == head(1)
    assert (await store.messages.changes(room_id, after=0)).last == 1
    await append(store, room_id, said(ANN))


@pytest.mark.mongo
async def test_a_deleted_room_takes_nothing_from_a_node_that_missed_it(
    store: Store, elsewhere: Store
) -> None:
    """The position it would write at is taken by the row that ends the log."""
    room_id = await new_room(store, ANN)
    await append(store, room_id, said(ANN))
    await elsewhere.rooms.delete(
        room_id, epoch=EPOCH, after=2, new_epoch="11111111", at=Timestamp(1)
    )
    while await elsewhere.rooms.sweep(limit=10):
        pass
    with pytest.raises(Exception, match="the epoch is 11111111"):
        await store.messages.append(room_id, epoch=EPOCH, after=2, drafts=[said(ANN)])
    assert await head_of(store, room_id) == head(0, "11111111")
