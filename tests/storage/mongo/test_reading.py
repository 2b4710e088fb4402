"""Reads: one deadline for all that a call asks, and nothing left of those that are cancelled."""

import asyncio
import gc
import warnings

import pytest

from parley.storage.errors import StorageUnavailable
from parley.storage.models import MessageId
from parley.storage.mongo.database import MongoDatabase
from tests.storage.drafts import ANN, append, edited, new_room, said
from tests.storage.mongo.failing import Failing
from tests.storage.stores import Store, mongo_store


@pytest.mark.mongo
@pytest.mark.parametrize("steps", range(4))
async def test_a_read_cancelled_before_it_began_leaves_nothing(store: Store, steps: int) -> None:
    """Neither a coroutine that nobody awaits nor a task."""
    tasks = asyncio.all_tasks()
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        reading = asyncio.create_task(store.messages.get(MessageId("0" * 24)))
        for _ in range(steps):
            await asyncio.sleep(0)
        reading.cancel()
        await asyncio.wait([reading])
        await asyncio.wait(asyncio.all_tasks() - tasks or [reading])
        del reading
        gc.collect()
    assert [str(warning.message) for warning in seen] == []


@pytest.mark.mongo
async def test_a_read_that_will_not_be_cancelled_holds_nobody(database: MongoDatabase) -> None:
    """The driver did, now and then, and a server that was to stop waited for ever."""
    begun, swallowed = asyncio.Event(), asyncio.Event()

    async def stubborn() -> int:
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            swallowed.set()
        return 1

    reading = asyncio.create_task(database.read(stubborn()))
    await begun.wait()
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    await swallowed.wait()


@pytest.mark.mongod
@pytest.mark.parametrize("code", [43, 237], ids=["not found", "killed"])
async def test_a_cursor_that_is_gone_may_be_opened_again(
    store: Store, failing: Failing, code: int
) -> None:
    """A server that was started again or is short of memory has lost it."""
    room_id = await new_room(store, ANN)
    await append(store, room_id, *[said(ANN) for _ in range(150)])
    failing.commands("getMore", errorCode=code)
    with pytest.raises(StorageUnavailable):
        await store.messages.changes(room_id, after=0)
    assert len((await store.messages.changes(room_id, after=0)).messages) == 151


@pytest.mark.mongod
async def test_a_read_of_many_steps_has_one_deadline(
    url: str, database: MongoDatabase, store: Store, failing: Failing
) -> None:
    """Each of its steps is fast enough, all together are not."""
    room_id = await new_room(store, ANN)
    message = said(ANN)
    await append(store, room_id, message, edited(ANN, message.id, "x"))
    async with MongoDatabase.open(url, database.name, timeout_ms=600) as other:
        failing.commands("find", times=None, blockConnection=True, blockTimeMS=250)
        with pytest.raises(StorageUnavailable):
            await mongo_store(other).messages.changes(room_id, after=0)
