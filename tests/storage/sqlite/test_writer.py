"""Group commit: what shares a transaction, and what one job's trouble means for the others."""

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from parley.storage.errors import (
    NotStored,
    PositionTaken,
    StorageError,
    StorageUnavailable,
)
from parley.storage.models import Draft, Duplicate, Outcome, RoomId, Stored
from parley.storage.sqlite.connection import WritingConnection
from parley.storage.sqlite.database import FILE, Database
from tests.storage.drafts import ANN, EPOCH, append, deleted, new_room, reacted, said, texts
from tests.storage.sqlite.holding import held
from tests.storage.stores import Store, sqlite_store

Appended = asyncio.Task[list[Outcome]]


def appending(store: Store, room_id: RoomId, *drafts: Draft, after: int = 1) -> Appended:
    """Start to append to a room in which only its founder has a row."""

    async def run() -> list[Outcome]:
        return list(await store.messages.append(room_id, epoch=EPOCH, after=after, drafts=drafts))

    return asyncio.create_task(run())


async def log_of(store: Store, room_id: RoomId) -> list[str]:
    """Return the texts of a room, whose log must be dense."""
    page = await store.messages.changes(room_id, after=1)
    assert page.dense
    return texts(page.messages)


def traced(statements: list[str]) -> Callable[[WritingConnection], None]:
    """Return a job that makes the connection note what it executes from now on."""

    def trace(connection: WritingConnection) -> None:
        connection.set_trace_callback(statements.append)

    return trace


async def test_what_waits_together_is_one_transaction(store: Store, database: Database) -> None:
    """Batches of many rooms share one commit and, where they are plain, one insert."""
    rooms = [await new_room(store, ANN) for _ in range(20)]
    statements: list[str] = []
    await database.write(traced(statements))
    async with held(database):
        tasks = [appending(store, room_id, said(ANN)) for room_id in rooms]
    await asyncio.gather(*tasks)
    since_held = statements[statements.index("COMMIT", 1) + 1 :]
    assert since_held.count("COMMIT") == 1
    assert sum(statement.startswith("INSERT") for statement in since_held) == 1


async def test_a_job_that_raises_fails_alone(store: Store, database: Database) -> None:
    """Neighbours are stored once each, and nothing of the failing job is."""
    rooms = [await new_room(store, ANN) for _ in range(3)]

    def fail(connection: WritingConnection) -> None:
        connection.execute("INSERT INTO users (user_id, first_seen) VALUES ('ghost', 1)")
        raise ValueError("on purpose")

    async with held(database):
        before = appending(store, rooms[0], said(ANN, "before"))
        failing = asyncio.create_task(database.write(fail))
        after = appending(store, rooms[1], said(ANN, "after"))
    results = await asyncio.gather(before, failing, after, return_exceptions=True)
    assert isinstance(results[1], ValueError)
    assert await log_of(store, rooms[0]) == ["before"]
    assert await log_of(store, rooms[1]) == ["after"]
    ghost = "SELECT count(*) FROM users"
    assert await database.read(lambda connection: connection.execute(ghost).fetchone()) == (0,)


async def test_a_failed_job_leaves_the_file_free(folder: Path, database: Database) -> None:
    """Its transaction ends with it, so an operator's shell may write."""

    def fail(connection: WritingConnection) -> None:
        raise ValueError("on purpose")

    with pytest.raises(ValueError, match="on purpose"):
        await database.write(fail)
    shell = sqlite3.connect(folder / FILE, timeout=0, isolation_level=None)
    shell.execute("BEGIN IMMEDIATE")
    shell.close()


async def test_a_driver_error_of_one_job_is_its_own(store: Store, database: Database) -> None:
    """An id that is taken is a `StorageError` for its batch only."""
    rooms = [await new_room(store, ANN) for _ in range(3)]
    (message,) = await append(store, rooms[2], said(ANN))
    async with held(database):
        good = appending(store, rooms[0], said(ANN, "good"))
        bad = appending(store, rooms[1], said(ANN, "x"), said(ANN, message_id=message.id))
        also = appending(store, rooms[2], said(ANN, "also"), after=2)
    results = await asyncio.gather(good, bad, also, return_exceptions=True)
    assert isinstance(results[1], StorageError)
    assert not isinstance(results[1], StorageUnavailable | sqlite3.Error)
    assert await log_of(store, rooms[0]) == ["good"]
    assert await log_of(store, rooms[1]) == []
    assert await log_of(store, rooms[2]) == ["hello", "also"]


async def test_refusals_and_duplicates_cost_nobody_a_rollback(
    store: Store, database: Database
) -> None:
    """What is expected to happen is answered inside the common transaction."""
    rooms = [await new_room(store, ANN) for _ in range(4)]
    first = said(ANN, "first")
    await append(store, rooms[0], first)
    statements: list[str] = []
    await database.write(traced(statements))
    async with held(database):
        tasks = [
            appending(store, rooms[0], first, said(ANN, "second"), after=2),
            appending(store, rooms[1], said(ANN, "stale"), after=0),
            appending(store, rooms[2], reacted(ANN, "f" * 24, "+1")),
            appending(store, rooms[3], said(ANN, "fine")),
        ]
    again, stale, missing, fine = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(again, list)
    assert [type(outcome) for outcome in again] == [Duplicate, Stored]
    assert isinstance(stale, PositionTaken)
    assert isinstance(missing, NotStored)
    assert isinstance(fine, list)
    assert await log_of(store, rooms[0]) == ["first", "second"]
    assert await log_of(store, rooms[3]) == ["fine"]
    assert "ROLLBACK" not in statements


async def test_two_batches_for_one_position_store_one(store: Store, database: Database) -> None:
    """The second of two batches at the same head is refused, in one transaction too."""
    room_id = await new_room(store, ANN)
    async with held(database):
        tasks = [appending(store, room_id, said(ANN, text)) for text in ("one", "two")]
    one, two = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(one, list)
    assert isinstance(two, PositionTaken)
    assert two.head == 2
    assert await log_of(store, room_id) == ["one"]


async def test_jobs_of_all_kinds_keep_their_order(store: Store, database: Database) -> None:
    """A change that waits with the message it changes finds it."""
    room_id = await new_room(store, ANN)
    message = said(ANN, "one")
    async with held(database):
        tasks = [
            appending(store, room_id, message, after=1),
            appending(store, room_id, deleted(ANN, message.id), after=2),
            appending(store, room_id, said(ANN, "two"), after=3),
        ]
    await asyncio.gather(*tasks)
    assert await log_of(store, room_id) == ["", "two"]


async def test_a_cancelled_caller_disturbs_nobody(store: Store, database: Database) -> None:
    """Its rows are stored all the same, and so are its neighbours'."""
    rooms = [await new_room(store, ANN) for _ in range(3)]
    async with held(database):
        tasks = [appending(store, room_id, said(ANN, "kept")) for room_id in rooms]
        await asyncio.sleep(0)
        tasks[1].cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(results[1], asyncio.CancelledError)
    assert [await log_of(store, room_id) for room_id in rooms] == [["kept"]] * 3


async def test_closing_finishes_what_is_queued(folder: Path) -> None:
    """Who wrote before the end gets the answer, and it is on disk."""
    async with Database.open(folder) as database:
        store = sqlite_store(database)
        rooms = [await new_room(store, ANN) for _ in range(5)]
        async with held(database):
            tasks = [appending(store, room_id, said(ANN, "last")) for room_id in rooms]
    assert all(isinstance(outcomes[0], Stored) for outcomes in await asyncio.gather(*tasks))
    async with Database.open(folder) as database:
        store = sqlite_store(database)
        assert [await log_of(store, room_id) for room_id in rooms] == [["last"]] * 5
