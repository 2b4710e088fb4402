"""Rows of several rooms that leave in one command: each has its own outcome."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from parley.storage.errors import OutcomeUnknown, PositionTaken, StorageError
from parley.storage.models import Duplicate, RoomId, Stored
from parley.storage.mongo.database import Document, MongoDatabase
from parley.storage.mongo.inserting import Key
from parley.storage.mongo.together import AT_ONCE, ROWS, Together
from tests.storage.drafts import ANN, append, new_room, said
from tests.storage.mongo.failing import NO_MAJORITY, Failing
from tests.storage.mongo.recorder import Recorder
from tests.storage.mongo.test_append import append_at, log_of
from tests.storage.redis.buses import until
from tests.storage.stores import Store, mongo_store

pytestmark = pytest.mark.mongo

MANY = 40


class Recorded:
    """A store whose commands are counted, and rooms whose heads it knows."""

    def __init__(self, store: Store, recorder: Recorder, rooms: Sequence[RoomId]) -> None:
        self.store = store
        self.rooms = rooms
        self._recorder = recorder

    def inserts(self) -> list[int]:
        """Return how many rows each command had since the last time."""
        commands = [c for c in self._recorder.commands if "insert" in c]
        self._recorder.commands.clear()
        return [len(c["documents"]) for c in commands]


@pytest.fixture
async def recorded(url: str, database: MongoDatabase) -> AsyncIterator[Recorded]:
    recorder = Recorder()
    async with MongoDatabase.open(url, database.name, listeners=[recorder]) as other:
        store = mongo_store(other)
        rooms = [await new_room(store, ANN) for _ in range(MANY)]
        for room_id in rooms:
            await append(store, room_id, said(ANN, "before"))
        recorder.commands.clear()
        yield Recorded(store, recorder, rooms)


async def test_what_waits_goes_in_one_command(recorded: Recorded) -> None:
    store, rooms = recorded.store, recorded.rooms
    await asyncio.gather(*(append_at(store, room_id, 2, said(ANN, room_id)) for room_id in rooms))
    assert recorded.inserts() == [1] * AT_ONCE + [MANY - AT_ONCE]
    for room_id in rooms:
        assert await log_of(store, room_id) == ["before", room_id]


async def test_each_row_has_its_own_outcome(
    database: MongoDatabase, recorded: Recorded, elsewhere: Store
) -> None:
    """Stored, too late, a duplicate, refused: all of it in one command."""
    store, (late, known, bad, *rooms) = recorded.store, recorded.rooms
    again = said(ANN, "again")
    await append(elsewhere, late, said(ANN, "faster"))
    rule = {"client_id": {"$ne": "refuse-me"}}
    await append_at(store, known, 2, again)
    await database.messages.database.command("collMod", "messages", validator=rule)
    recorded.inserts()
    try:
        outcomes = await asyncio.gather(
            *(append_at(store, room_id, 2, said(ANN, "x")) for room_id in rooms),
            append_at(store, late, 2, said(ANN, "slower")),
            append_at(store, known, 3, again),
            append_at(store, bad, 2, said(ANN, "x", client_id="refuse-me")),
            return_exceptions=True,
        )
    finally:
        await database.messages.database.command("collMod", "messages", validator={})
    assert max(recorded.inserts()) > 3
    *stored, too_late, duplicate, refused = outcomes
    assert {type(one) for [one] in stored} == {Stored}  # type: ignore[misc]
    assert isinstance(too_late, PositionTaken)
    assert too_late.head == 3
    assert isinstance(duplicate[0], Duplicate)  # type: ignore[index]
    assert type(refused) is StorageError
    assert await log_of(store, late) == ["before", "faster"]


async def test_one_that_cannot_be_sent_holds_no_other_up(recorded: Recorded) -> None:
    store, (bad, *rooms) = recorded.store, recorded.rooms
    huge = said(ANN, "x" * 17_000_000)
    outcomes = await asyncio.gather(
        *(append_at(store, room_id, 2, said(ANN, "x")) for room_id in rooms),
        append_at(store, bad, 2, huge),
        return_exceptions=True,
    )
    assert {type(one) for [one] in outcomes[:-1]} == {Stored}  # type: ignore[misc]
    assert type(outcomes[-1]) is StorageError


@pytest.mark.mongod
@pytest.mark.parametrize(
    "how", [{"closeConnection": True}, {"writeConcernError": NO_MAJORITY}], ids=str
)
async def test_what_is_unknown_is_so_for_all(
    recorded: Recorded, failing: Failing, how: dict[str, Any]
) -> None:
    store, rooms = recorded.store, recorded.rooms
    drafts = {room_id: said(ANN, "x") for room_id in rooms}
    failing.commands("insert", times=None, **how)
    outcomes = await asyncio.gather(
        *(append_at(store, room_id, 2, draft) for room_id, draft in drafts.items()),
        return_exceptions=True,
    )
    assert {type(one) for one in outcomes} == {OutcomeUnknown}
    failing.stop()
    for room_id, draft in drafts.items():
        head = 2 + len(await log_of(store, room_id)) - 1
        await append_at(store, room_id, head, draft)
        assert await log_of(store, room_id) == ["before", "x"]


async def test_rows_of_one_room_go_one_after_the_other() -> None:
    """And a lot has no more than `ROWS`; whoever came first goes first."""
    lots: list[list[tuple[str, int]]] = []
    go_on = asyncio.Event()

    async def insert(rows: Sequence[Document]) -> Sequence[Key | StorageError]:
        lots.append([(row["room_id"], row["rev"]) for row in rows])
        await go_on.wait()
        return [() for _ in rows]

    together = Together(insert)
    rows = [{"room_id": "a", "rev": 1}, {"room_id": "b", "rev": 1}]
    rows += [{"room_id": "c", "rev": rev} for rev in (1, 2)]
    rows += [{"room_id": f"d{n}", "rev": 1} for n in range(ROWS)]
    inserting = [asyncio.create_task(together.insert(row)) for row in rows]
    await until(lambda: len(lots) == AT_ONCE)
    assert lots == [[("a", 1)], [("b", 1)]]
    go_on.set()
    await asyncio.gather(*inserting)
    assert [len(lot) for lot in lots[2:]] == [ROWS, 2]
    assert ("c", 2) in lots[3]


async def test_who_waits_for_a_lot_that_was_broken_off_waits_no_more() -> None:
    async def insert(rows: Sequence[Document]) -> Sequence[Key | StorageError]:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await Together(insert).insert({"room_id": "a", "rev": 1})
