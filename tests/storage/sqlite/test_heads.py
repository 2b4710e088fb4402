"""Heads that the writer remembers are those in the file, whatever undid a transaction."""

import asyncio
import sqlite3
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from parley.storage.models import Head, RoomId, Timestamp
from parley.storage.sqlite import rows
from parley.storage.sqlite.connection import WritingConnection, read_head
from parley.storage.sqlite.database import FILE, Database
from tests.storage.drafts import ANN, EPOCH, EVE, a_room, founding, joined, said
from tests.storage.sqlite.holding import held
from tests.storage.stores import Store, sqlite_store

ROOMS = [RoomId(digit * 24) for digit in "ab"]
TAKEN = said(ANN, "the first message of the first room")

Job = Callable[[Store, Database, RoomId, int], Awaitable[object]]


def says(store: Store, _: Database, room_id: RoomId, head: int) -> Awaitable[object]:
    """Append two messages."""
    drafts = [said(ANN), said(ANN)]
    return store.messages.append(room_id, epoch=EPOCH, after=head, drafts=drafts)


def repeats(store: Store, _: Database, room_id: RoomId, head: int) -> Awaitable[object]:
    """Append one message and another that is a duplicate in the first room."""
    drafts = [said(ANN), TAKEN, said(ANN)]
    return store.messages.append(room_id, epoch=EPOCH, after=head, drafts=drafts)


def joins(store: Store, _: Database, room_id: RoomId, head: int) -> Awaitable[object]:
    """Append a control row."""
    return store.messages.append(room_id, epoch=EPOCH, after=head, drafts=[joined(EVE)])


def clashes(store: Store, _: Database, room_id: RoomId, head: int) -> Awaitable[object]:
    """Append a row, and one whose id is taken: raises, and undoes the transaction."""
    drafts = [joined(EVE), said(ANN, message_id=TAKEN.message_id)]
    return store.messages.append(room_id, epoch=EPOCH, after=head, drafts=drafts)


def deletes(store: Store, _: Database, room_id: RoomId, head: int) -> Awaitable[object]:
    """Delete the room, so that the next rows are refused."""
    return store.rooms.delete(
        room_id, epoch=EPOCH, after=head, new_epoch="11111111", at=Timestamp(1)
    )


def fails(_: Store, database: Database, room_id: RoomId, head: int) -> Awaitable[object]:
    """Append a row by hand, then raise."""

    def job(connection: WritingConnection) -> None:
        rows.append(connection, room_id, Head(epoch=EPOCH, rev=head), [said(ANN)])
        raise ValueError("on purpose")

    return database.write(job)


def is_undone(_: Store, database: Database, room_id: RoomId, head: int) -> Awaitable[object]:
    """Append a row by hand; then SQLite ends the transaction, as on a full disk."""

    def job(connection: WritingConnection) -> None:
        rows.append(connection, room_id, Head(epoch=EPOCH, rev=head), [said(ANN)])
        connection.execute("ROLLBACK")
        raise sqlite3.OperationalError("database or disk is full")

    return database.write(job)


def stays_open(_: Store, database: Database, room_id: RoomId, head: int) -> Awaitable[object]:
    """Append a row by hand; then neither that nor the rollback succeeds at once."""

    def job(connection: WritingConnection) -> None:
        rows.append(connection, room_id, Head(epoch=EPOCH, rev=head), [said(ANN)])
        connection.set_authorizer(_no_rollback(connection))
        raise ValueError("on purpose")

    return database.write(job)


def _no_rollback(connection: WritingConnection) -> Callable[..., int]:
    def authorizer(action: int, first: str | None, *_: object) -> int:
        if action == sqlite3.SQLITE_TRANSACTION and first == "ROLLBACK":
            connection.set_authorizer(None)  # only the first time
            return sqlite3.SQLITE_DENY
        return sqlite3.SQLITE_OK

    return authorizer


JOBS: list[Job] = [says, says, says, repeats, joins, clashes, deletes, fails, is_undone, stays_open]
TRANSACTIONS = st.lists(
    st.lists(st.tuples(st.sampled_from(JOBS), st.sampled_from(ROOMS)), min_size=1, max_size=5),
    max_size=8,
)


async def heads(database: Database) -> tuple[list[Head | None], list[Head | None]]:
    """Return what is remembered, or asked where nothing is, and what the file says."""

    def both(connection: WritingConnection) -> tuple[list[Head | None], list[Head | None]]:
        remembered = [connection.head(room_id) for room_id in ROOMS]
        return remembered, [read_head(connection, room_id) for room_id in ROOMS]

    return await database.write(both)


async def run(folder: Path, transactions: Sequence[Sequence[tuple[Job, RoomId]]]) -> None:
    async with Database.open(folder) as database:
        store = sqlite_store(database)
        for room_id in ROOMS:
            await store.rooms.create(a_room(room_id), founding(ANN))
        await store.messages.append(ROOMS[0], epoch=EPOCH, after=1, drafts=[TAKEN])
        for jobs in transactions:
            found = await store.rooms.heads(ROOMS)
            async with held(database):
                ahead = {room_id: head.rev for room_id, head in found.items()}
                tasks: list[asyncio.Future[object]] = []
                for job, room_id in jobs:
                    doing = job(store, database, room_id, ahead[room_id])
                    tasks.append(asyncio.ensure_future(doing))
                    ahead[room_id] += 2 if job is says else 1
            await asyncio.gather(*tasks, return_exceptions=True)
            remembered, stored = await heads(database)
            assert remembered == stored
        for room_id in ROOMS:
            assert (await store.messages.changes(room_id, after=0)).dense


@settings(max_examples=60, deadline=None)
@given(transactions=TRANSACTIONS)
def test_what_is_remembered_is_what_was_committed(
    transactions: list[list[tuple[Job, RoomId]]],
) -> None:
    """No position is remembered that a rolled-back transaction took."""
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run(Path(folder), transactions))


async def test_what_a_stranger_wrote_is_seen(
    store: Store, database: Database, folder: Path
) -> None:
    """An operator's shell that takes the last row away leaves no hole behind it."""
    room_id = (await store.rooms.create(a_room(), founding(ANN))).room.id
    drafts = [said(ANN), said(ANN)]
    await store.messages.append(room_id, epoch=EPOCH, after=1, drafts=drafts)
    shell = sqlite3.connect(folder / FILE, isolation_level=None)
    shell.execute("DELETE FROM log WHERE room_id = ? AND rev = 3", (room_id,))
    shell.close()
    await store.messages.append(room_id, epoch=EPOCH, after=2, drafts=[said(ANN)])
    page = await store.messages.changes(room_id, after=0)
    assert (page.last, page.dense) == (3, True)
