"""Rows of several rooms that leave in one command: each has its own outcome."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from parley.storage.errors import (
    OutcomeUnknown,
    PositionTaken,
    StorageError,
    StorageUnavailable,
)
from parley.storage.models import Duplicate, RoomId, Stored, Timestamp
from parley.storage.mongo import insert_queue
from parley.storage.mongo.database import Document, MongoDatabase
from parley.storage.mongo.insert_queue import AT_ONCE, ROWS, Insert, InsertQueue
from parley.storage.mongo.inserting import Key
from parley.storage.mongo.turns import WRITES
from tests.storage.drafts import ANN, append, head_of, new_room, said
from tests.storage.mongo.failing import NO_MAJORITY, Failing
from tests.storage.mongo.recorder import Recorder
from tests.storage.mongo.test_append import append_at, log_of
from tests.storage.stores import Store, mongo_store
from tests.until import until

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
    sizes = recorded.inserts()
    assert [sum(sizes), max(sizes) > MANY // 2] == [MANY, True]
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
async def test_what_is_unknown_is_written_again_and_is_there_once(
    recorded: Recorded, failing: Failing, how: dict[str, Any]
) -> None:
    store, rooms = recorded.store, recorded.rooms
    drafts = {room_id: said(ANN, "x") for room_id in rooms}
    failing.commands("insert", times=None, **how)
    outcomes = await asyncio.gather(
        *(append_at(store, room_id, 2, draft) for room_id, draft in drafts.items()),
        return_exceptions=True,
    )
    assert {type(one) for one in outcomes[:AT_ONCE]} == {OutcomeUnknown}
    assert {type(one) for one in outcomes[AT_ONCE:]} == {StorageUnavailable}  # was not sent
    failing.stop()
    for room_id, draft in drafts.items():
        head = 2 + len(await log_of(store, room_id)) - 1
        await append_at(store, room_id, head, draft)
        assert await log_of(store, room_id) == ["before", "x"]


def _queue(insert: Insert) -> InsertQueue:
    return InsertQueue(insert, in_turn=lambda work: work)


def _always() -> bool:
    return True


async def test_rows_of_one_room_go_one_after_the_other() -> None:
    """And a batch has no more than `ROWS`; whoever came first goes first."""
    batches: list[list[tuple[str, int]]] = []
    go_on = asyncio.Event()

    async def insert(rows: Sequence[Document]) -> Sequence[Key | StorageError]:
        batches.append([(row["room_id"], row["rev"]) for row in rows])
        await go_on.wait()
        return [() for _ in rows]

    queue = _queue(insert)
    rows = [{"room_id": "a", "rev": 1}, {"room_id": "b", "rev": 1}]
    rows += [{"room_id": "c", "rev": rev} for rev in (1, 2)]
    rows += [{"room_id": f"d{n}", "rev": 1} for n in range(ROWS)]
    inserting = [asyncio.create_task(queue.insert(row, _always)) for row in rows]
    await until(lambda: len(batches) == AT_ONCE)
    assert batches == [[("a", 1)], [("b", 1)]]
    go_on.set()
    await asyncio.gather(*inserting)
    assert [len(batch) for batch in batches[2:]] == [ROWS, 2]
    assert ("c", 2) in batches[3]


async def test_who_waits_for_a_batch_that_was_broken_off_waits_no_more() -> None:
    async def insert(rows: Sequence[Document]) -> Sequence[Key | StorageError]:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await _queue(insert).insert({"room_id": "a", "rev": 1}, _always)


async def test_an_error_that_nobody_thought_of_is_told() -> None:
    async def insert(rows: Sequence[Document]) -> Sequence[Key | StorageError]:
        raise RuntimeError("odd")

    with pytest.raises(RuntimeError, match="odd"):
        await _queue(insert).insert({"room_id": "a", "rev": 1}, _always)


async def test_what_waits_is_given_up_with_what_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    """MongoDB is away for all of them: one batch after the other would wait for as long again."""
    failing = asyncio.Event()
    sent: list[int] = []

    async def insert(rows: Sequence[Document]) -> Sequence[Key | StorageError]:
        sent.append(len(rows))
        await failing.wait()
        raise OutcomeUnknown("no server")

    queue = _queue(insert)
    rows = [{"room_id": str(n), "rev": 1} for n in range(10 * ROWS)]
    inserting = [asyncio.create_task(queue.insert(row, _always)) for row in rows]
    await until(lambda: len(sent) == AT_ONCE)
    began = asyncio.get_running_loop().time()
    await until(lambda: asyncio.get_running_loop().time() > began)
    failing.set()
    outcomes = await asyncio.gather(*inserting, return_exceptions=True)
    assert sent == [1] * AT_ONCE
    assert [type(one) for one in outcomes[:AT_ONCE]] == [OutcomeUnknown] * AT_ONCE
    assert {type(one) for one in outcomes[AT_ONCE:]} == {StorageUnavailable}


async def test_nobody_waits_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = asyncio.Event()

    async def insert(rows: Sequence[Document]) -> Sequence[Key | StorageError]:
        await go_on.wait()
        return [() for _ in rows]

    queue = _queue(insert)
    rows = [{"room_id": str(n), "rev": 1} for n in range(AT_ONCE + 1)]
    inserting = [asyncio.create_task(queue.insert(row, _always)) for row in rows]
    await until(lambda: len(vars(queue)["_under_way"]) == AT_ONCE)
    monkeypatch.setattr(insert_queue, "WAIT_S", 0.0)
    go_on.set()
    *stored, late = await asyncio.gather(*inserting, return_exceptions=True)
    assert stored == [()] * AT_ONCE
    assert type(late) is StorageUnavailable


async def test_a_position_that_was_freed_meanwhile_is_not_taken(
    database: MongoDatabase, store: Store, elsewhere: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another node has written, and deleted the room, while the row waited to leave."""
    room_id = await new_room(store, ANN)
    await append(store, room_id, said(ANN, "two"))
    go_on = asyncio.Event()
    writing = [asyncio.create_task(database.write(go_on.wait())) for _ in range(WRITES)]
    late = asyncio.create_task(append_at(store, room_id, 2, said(ANN, "late")))
    await append(elsewhere, room_id, said(ANN, "three"))
    head = await head_of(elsewhere, room_id)
    await elsewhere.rooms.delete(
        room_id, epoch=head.epoch, after=head.rev, new_epoch="0badf00d", at=Timestamp(2)
    )
    database.heads.forget(room_id)  # as after two seconds
    while await elsewhere.rooms.sweep(limit=99):
        pass
    go_on.set()
    await asyncio.gather(*writing)
    with pytest.raises(StorageError):
        await late
    assert await database.messages.count_documents({"room_id": room_id, "rev": 3}) == 0
