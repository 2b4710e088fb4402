"""What a call costs MongoDB does not grow with the room: keys and documents it looked at."""

from collections.abc import AsyncGenerator, Awaitable
from typing import Any

import pytest

from parley.storage.models import MessageId, RoomId
from parley.storage.mongo.database import MongoDatabase
from tests.storage.calls import CALLS, FUTURE, LARGE, SMALL
from tests.storage.drafts import ANN, BOB, EPOCH, append, edited, head_of, new_room, said
from tests.storage.stores import Store, clear

pytestmark = pytest.mark.mongo


class Meter:
    """Counts what the server looks at, by its own profiler."""

    def __init__(self, database: MongoDatabase) -> None:
        self._database = database.messages.database

    async def of(self, call: Awaitable[object]) -> int:
        await self._database.drop_collection("system.profile")
        await self._database.command("profile", 2)
        await call
        await self.off()
        asked: dict[str, Any] = {"ns": {"$not": {"$regex": "system"}}}
        seen = self._database["system.profile"].find(asked)
        return sum([e.get("keysExamined", 0) + e.get("docsExamined", 0) async for e in seen])

    async def off(self) -> None:
        await self._database.command("profile", 0)


@pytest.fixture
async def meter(database: MongoDatabase) -> AsyncGenerator[Meter, None]:
    meter = Meter(database)
    yield meter
    await meter.off()


async def a_room_of(store: Store, rows: int) -> tuple[RoomId, int, MessageId]:
    """Return a room, its head, and a message in it.

    There is a second one, which every list of rooms ends with: the profiler does not count what
    the last of several lookups in one command took.
    """
    room_id, other = await new_room(store, ANN, BOB), await new_room(store, ANN, BOB)
    first = said(BOB, mentions=[ANN])
    await append(store, other, said(BOB, mentions=[ANN]))
    await append(store, room_id, first, edited(BOB, first.id, "x", mentions=[ANN]))
    await append(store, room_id, *[said(BOB, mentions=[ANN]) for _ in range(rows)])
    return room_id, (await head_of(store, room_id)).rev, first.message_id


@pytest.mark.parametrize("name", CALLS)
async def test_a_call_costs_the_same_in_a_large_room(
    database: MongoDatabase, store: Store, meter: Meter, name: str
) -> None:
    """A room of thirty times the rows takes hardly more steps."""
    costs = list[int]()
    for rows in (SMALL, LARGE):
        await clear(database)
        room_id, head, first = await a_room_of(store, rows)
        costs.append(await meter.of(CALLS[name](store, room_id, head, first)))
    small, large = costs
    assert large <= small * 1.5 + 20


async def test_deleting_costs_the_same_for_a_large_room(
    database: MongoDatabase, store: Store, meter: Meter
) -> None:
    """The room itself, and each step in which what it left is swept."""
    costs = list[int]()
    for rows in (SMALL, LARGE):
        await clear(database)
        room_id, head, _ = await a_room_of(store, rows)
        deleting = store.rooms.delete(
            room_id, epoch=EPOCH, after=head, new_epoch="11111111", at=FUTURE
        )
        costs.append(await meter.of(deleting))
        costs.append(await meter.of(store.rooms.sweep(limit=20)))
    deleted_small, swept_small, deleted_large, swept_large = costs
    assert 0 < deleted_large <= deleted_small * 1.5 + 20
    assert 0 < swept_large <= swept_small * 1.5 + 20
