"""A crowd that asks at once: nobody's waiting counts as MongoDB's, and lookups are shared."""

import asyncio
from collections.abc import Collection

import pytest

from parley.storage.errors import StorageUnavailable
from parley.storage.models import RoomId, Timestamp, UserId
from parley.storage.mongo import turns
from parley.storage.mongo.database import MongoDatabase
from parley.storage.mongo.shared import Shared
from parley.storage.notifications import told_of
from tests.storage.drafts import ANN, BOB, EPOCH, append, head_of, new_room, said
from tests.storage.inboxes import notice
from tests.storage.mongo.calls import EVERY, Call
from tests.storage.mongo.failing import Failing
from tests.storage.mongo.recorder import Recorder
from tests.storage.stores import Store, mongo_store

CROWD = 1_000
CONNECTIONS = 100  # of the driver, at most
TIMEOUT_MS = 1_000
SLOW_MS = 150  # so that all of them, a hundred at a time, take longer than one may


def rooms(count: int) -> list[RoomId]:
    """Return the ids of rooms that do not exist."""
    return [RoomId(f"room-{number}") for number in range(count)]


@pytest.mark.mongod
async def test_who_waits_for_a_turn_has_not_begun(
    database: MongoDatabase, url: str, failing: Failing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the driver's own queue the last of them would be told that MongoDB does not answer."""
    assert CROWD / CONNECTIONS * SLOW_MS > TIMEOUT_MS
    monkeypatch.setattr(turns, "WAIT_S", 60)
    async with MongoDatabase.open(url, database.name, timeout_ms=TIMEOUT_MS) as other:
        store = mongo_store(other)
        # The driver makes its connections two by two: on a busy machine it takes its time.
        await asyncio.gather(*map(store.messages.oldest, rooms(turns.READS)))
        failing.commands("find", times=None, blockConnection=True, blockTimeMS=SLOW_MS)
        assert set(await asyncio.gather(*map(store.messages.oldest, rooms(CROWD)))) == {1}


@pytest.mark.mongo
async def test_readers_hold_up_readers_and_no_writer(
    database: MongoDatabase, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    room_id = await new_room(store, ANN)
    goes_on = asyncio.Event()
    reading = [asyncio.create_task(database.read(goes_on.wait())) for _ in range(turns.READS)]
    await asyncio.sleep(0)
    await store.users.saw({ANN: Timestamp(1)})
    database.heads.forget(room_id)  # as after two seconds
    await store.messages.append(room_id, epoch=EPOCH, after=1, drafts=[said(ANN, "I")])
    monkeypatch.setattr(turns, "WAIT_S", 0.1)
    with pytest.raises(StorageUnavailable):
        await store.messages.oldest(room_id)
    goes_on.set()
    await asyncio.gather(*reading)
    assert await store.messages.oldest(room_id) == 1


@pytest.fixture
def one_turn(database: MongoDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let one operation of a kind be under way at a time."""
    monkeypatch.setattr(turns, "WAIT_S", 20)  # for what would wait for itself
    for kind in ("_reading", "_writing"):
        monkeypatch.setattr(database, kind, turns.Turns(1))


@pytest.mark.mongo
@pytest.mark.usefixtures("one_turn")
@pytest.mark.parametrize(("name", "call"), EVERY, ids=[name for name, _ in EVERY])
async def test_what_has_a_turn_waits_for_no_other(store: Store, name: str, call: Call) -> None:
    """Else a crowd that has all of them would wait for itself."""
    await call(store, await new_room(store, ANN))


@pytest.mark.mongo
@pytest.mark.usefixtures("one_turn")
async def test_what_sweeps_a_room_and_inboxes_waits_for_no_other_turn(store: Store) -> None:
    room_id = await new_room(store, ANN, BOB)
    (message,) = await append(store, room_id, said(ANN, mentions=[BOB]))
    await store.notifications.add([notice(BOB, client_id=told_of(message.id))])
    head = await head_of(store, room_id)
    await store.rooms.delete(
        room_id, epoch=head.epoch, after=head.rev, new_epoch="0badf00d", at=Timestamp(2)
    )
    while await store.rooms.sweep(limit=9):
        pass
    assert await store.notifications.listed(BOB, limit=9) == []


@pytest.mark.mongo
async def test_users_that_come_at_once_are_looked_up_together(
    database: MongoDatabase, url: str
) -> None:
    recorder = Recorder()
    async with MongoDatabase.open(url, database.name, listeners=[recorder]) as other:
        store = mongo_store(other)
        recorder.commands.clear()
        users = [UserId(f"user-{n}") for n in range(100)]
        await asyncio.gather(*(store.members.revisions([user]) for user in users))
        assert len(recorder.commands) <= 2


async def test_what_is_asked_while_a_query_runs_is_read_again() -> None:
    """The answer of a query that began before the question may be older than the asker knows."""
    value, asked = 1, list[list[str]]()
    began, goes_on = asyncio.Event(), asyncio.Event()

    async def read(keys: Collection[str]) -> dict[str, int]:
        asked.append(list(keys))
        began.set()
        found = value
        await goes_on.wait()
        return {"a": found}

    shared = Shared[str, int](read)
    first = asyncio.create_task(shared.get("a"))
    await began.wait()
    value = 2
    others = [asyncio.create_task(shared.get(key)) for key in ("a", "b", "a")]
    await asyncio.sleep(0)
    goes_on.set()
    assert await first == 1
    assert await asyncio.gather(*others) == [2, None, 2]
    assert asked == [["a"], ["a", "b"]]


async def test_one_who_gives_up_takes_nobody_with_her() -> None:
    goes_on = asyncio.Event()

    async def read(_: Collection[str]) -> dict[str, int]:
        await goes_on.wait()
        return {"a": 1}

    shared = Shared[str, int](read)
    gone, stays = (asyncio.create_task(shared.get("a")) for _ in range(2))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.wait([gone])
    goes_on.set()
    assert await stays == 1


async def test_an_error_is_told_to_everybody_and_the_next_asks_again() -> None:
    fails = True

    async def read(_: Collection[str]) -> dict[str, int]:
        if fails:
            raise StorageUnavailable("away")
        return {"a": 1}

    shared = Shared[str, int](read)
    answers = await asyncio.gather(shared.get("a"), shared.get("a"), return_exceptions=True)
    assert all(isinstance(answer, StorageUnavailable) for answer in answers)
    fails = False
    assert await shared.get("a") == 1
