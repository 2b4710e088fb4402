"""What a call costs MongoDB does not grow with the room: keys and documents it looked at."""

from collections.abc import AsyncGenerator, Awaitable
from typing import Any

import pytest

from parley.storage import fold
from parley.storage.models import MemberState, MessageId, RoomId, UserId
from parley.storage.mongo.database import MongoDatabase
from parley.storage.mongo.documents import document_of_membership, row_of_change, row_of_create
from parley.storage.notifications import PushTerms
from tests.storage.calls import CALLS, FUTURE, INBOX_CALLS, LARGE, SMALL, an_inbox_of, fill
from tests.storage.drafts import (
    ANN,
    BOB,
    EPOCH,
    append,
    edited,
    head_of,
    joined,
    membership,
    new_room,
    reacted,
    said,
)
from tests.storage.inboxes import AT, notice
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


@pytest.mark.parametrize("spare", [0, 1_000], ids=["full", "with room"])
async def test_a_push_costs_the_same_where_many_wait(
    database: MongoDatabase, store: Store, meter: Meter, spare: int
) -> None:
    """Those that wait are not counted again for each."""
    costs = list[int]()
    for waiting in (SMALL, LARGE):
        await clear(database)
        full = PushTerms(due_at=AT, most=waiting)
        await fill(store, [notice(ANN) for _ in range(waiting)], push=full)
        terms = PushTerms(due_at=AT, most=waiting + spare)
        await store.notifications.add([notice(ANN)], push=terms)
        costs.append(await meter.of(store.notifications.add([notice(ANN)], push=terms)))
    small, large = costs
    assert large <= small * 1.5 + 20


async def test_counting_pushes_looks_at_no_notification(
    database: MongoDatabase, store: Store, meter: Meter
) -> None:
    terms = PushTerms(due_at=AT, most=LARGE)
    await fill(store, [notice(ANN) for _ in range(LARGE)], push=terms)
    assert await meter.of(store.pushes.size()) <= LARGE + 20


async def test_a_call_costs_the_same_in_a_large_inbox(
    database: MongoDatabase, store: Store, meter: Meter
) -> None:
    """One of thirty times the rows takes hardly more steps."""
    costs: dict[str, list[int]] = {name: [] for name in INBOX_CALLS}
    for rows in (SMALL, LARGE):
        await clear(database)
        one = await an_inbox_of(store, rows)
        for name, call in INBOX_CALLS.items():
            costs[name].append(await meter.of(call(store, one)))
    grown = {name: cost for name, cost in costs.items() if cost[1] > cost[0] * 1.5 + 20}
    assert grown == {}


async def churn(database: MongoDatabase, room_id: RoomId, head: int, rows: int) -> None:
    """Let people come and go and react, without what that does to the room."""
    target = fold.created(room_id, said(BOB), 1)
    await database.messages.insert_many(
        [
            row_of_change(room_id, reacted(ANN, target.id, "+1"), rev, target)
            if rev % 3
            else row_of_create(room_id, joined(UserId(f"guest{rev}")), rev)
            for rev in range(head + 1, head + rows + 1)
        ]
    )


@pytest.mark.parametrize("name", ["newest", "nothing unread", "unread rooms", "overviews", "heads"])
async def test_what_is_no_speech_costs_nothing(
    database: MongoDatabase, store: Store, meter: Meter, name: str
) -> None:
    """What was said last is found behind however many who came, left, or reacted."""
    costs = list[int]()
    for rows in (SMALL, LARGE):
        await clear(database)
        room_id, head, first = await a_room_of(store, rows)
        await churn(database, room_id, head, rows)
        database.heads.forget(room_id)
        costs.append(await meter.of(CALLS[name](store, room_id, head + rows, first)))
    small, large = costs
    assert large <= small * 1.5 + 20


async def test_a_batch_costs_no_more_for_being_of_many_senders(
    database: MongoDatabase, store: Store, meter: Meter
) -> None:
    """Its requests are looked up one by one, not each sender with each client_id."""
    users = [UserId(f"user{i:03}") for i in range(100)]
    room_id = await new_room(store, ANN)
    (target,) = await append(store, room_id, said(ANN))
    for _ in range(10):
        await append(store, room_id, *[said(user) for user in users])
    costs = list[int]()
    for senders in ([ANN] * len(users), users):
        reactions = [reacted(user, target.id, str(i)) for i, user in enumerate(senders)]
        costs.append(await meter.of(append(store, room_id, *reactions)))
    one, many = costs
    assert many <= one * 2 + 20


async def test_a_page_of_members_costs_the_same_among_many(
    database: MongoDatabase, store: Store, meter: Meter
) -> None:
    """Who waits is found without those who are inside."""
    costs = list[int]()
    for count in (SMALL, LARGE):
        await clear(database)
        room_id = await new_room(store, ANN, BOB)
        inside = document_of_membership(await membership(store, room_id, BOB))
        await database.members.insert_many(
            [{**inside, "user_id": f"user{i}"} for i in range(count)]
        )
        page = store.members.of_room(room_id, state=MemberState.PENDING, limit=20)
        costs.append(await meter.of(page))
    small, large = costs
    assert large <= small * 1.5 + 20
