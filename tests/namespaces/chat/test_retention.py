"""`Retention`: what is deleted goes at once, what is too old in time, a step at a time."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from parley.namespaces.chat import retention
from parley.server.app import running as serving
from parley.server.settings import Settings
from parley.storage.errors import StorageUnavailable
from parley.storage.models import Draft, RoomId, Timestamp
from parley.storage.sqlite.database import Database
from parley.storage.sqlite.rooms import SqliteRooms
from tests.namespaces.chat.house import START, House
from tests.storage.drafts import ANN as OWNER
from tests.storage.drafts import a_room, founding, said

ROWS = 7  # of a room
AGES = (31, 29, 8, 6, 0)  # days; what is newest is never removed


@pytest.fixture(autouse=True)
def _short_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "STEP_ROWS", 2)


async def rows_of(database: Database, room_id: RoomId) -> int:
    """Return how many rows of a room are on disk."""
    query = "SELECT count(*) FROM log WHERE room_id = ?"
    count: int = await database.read(lambda c: c.execute(query, (room_id,)).fetchone()[0])
    return count


async def a_full_room(house: House) -> RoomId:
    """Store a room with `ROWS` rows."""
    room = a_room()
    await house.build(room, founding(OWNER), [said(OWNER) for _ in range(ROWS - 1)])
    return room.id


async def delete(house: House, room_id: RoomId) -> None:
    """Delete a room as its owner."""
    ack = await house.ask(
        OWNER, "delete_room", {"room_id": room_id, "client_id": f"delete-{room_id}"}
    )
    assert ack["ok"], ack


@asynccontextmanager
async def running(house: House) -> AsyncGenerator[None, None]:
    """Let retention run as the server does."""
    task = asyncio.create_task(house.chat.retention.purge_forever())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def test_a_deleted_room_is_swept_at_once(tmp_path: Path) -> None:
    """Long before the next round, every time, and nothing of another room."""
    async with Database.open(tmp_path) as database:
        house = House(database)
        kept, *rooms = [await a_full_room(house) for _ in range(3)]
        async with running(house):
            for room_id in rooms:
                await delete(house, room_id)
                while await rows_of(database, room_id):
                    pass
        assert await rows_of(database, kept) == ROWS


async def test_what_a_stop_left_is_swept_by_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In between nothing of the room shows."""
    monkeypatch.setattr(retention, "PAUSE_S", 60.0)  # so the stop comes after the first step
    async with Database.open(tmp_path) as database:
        house = House(database)
        room_id = await a_full_room(house)
        await delete(house, room_id)
        async with running(house):
            while await rows_of(database, room_id) == ROWS:
                pass
        assert await rows_of(database, room_id) == ROWS - 2
    monkeypatch.setattr(retention, "PAUSE_S", 0.0)
    async with Database.open(tmp_path) as database:
        house = House(database)
        ack = await house.ask(OWNER, "history", {"room_id": room_id})
        assert ack["error"]["code"] == "gone"
        async with running(house):
            while await rows_of(database, room_id):
                pass


async def test_a_sweep_that_failed_is_made_up_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The task goes on, and the next deletion takes what is left with it."""
    sweep, calls = SqliteRooms.sweep, list[int]()

    async def failing(self: SqliteRooms, *, limit: int) -> int:
        calls.append(limit)
        if len(calls) == 3:
            raise StorageUnavailable("on purpose")
        return await sweep(self, limit=limit)

    monkeypatch.setattr(SqliteRooms, "sweep", failing)
    async with Database.open(tmp_path) as database:
        house = House(database)
        rooms = [await a_full_room(house) for _ in range(2)]
        async with running(house):
            while not calls:  # the first round found nothing
                await rows_of(database, rooms[0])
            await delete(house, rooms[0])
            while len(calls) < 3:
                await rows_of(database, rooms[0])
            assert await rows_of(database, rooms[0])
            await delete(house, rooms[1])
            while any([await rows_of(database, room_id) for room_id in rooms]):
                pass


def aged(days: int) -> Draft:
    """Return the draft of a message that tells its age."""
    created_at = Timestamp(START - days * retention.DAY_MS)
    return said(OWNER, str(days), created_at=created_at)


@pytest.mark.parametrize(
    ("server_days", "room_days", "kept"),
    [
        (None, None, AGES),
        (None, 7, (6, 0)),
        (30, None, (29, 8, 6, 0)),
        (30, 7, (6, 0)),
        (7, 30, (6, 0)),
    ],
)
async def test_the_shorter_of_two_times_holds(
    tmp_path: Path, server_days: int | None, room_days: int | None, kept: tuple[int, ...]
) -> None:
    """The server's (``PARLEY_RETENTION_DAYS``) and the room's own."""
    async with Database.open(tmp_path) as database:
        house = House(database, retention_days=server_days)
        settings = {} if room_days is None else {"retention_days": room_days}
        room = a_room(settings=settings)
        await house.build(room, founding(OWNER), [aged(days) for days in AGES])
        await house.chat.retention.purge()
        ack = await house.ask(OWNER, "history", {"room_id": room.id})
        told = [m["content"]["text"] for m in ack["data"]["messages"] if m["type"] == "chat"]
        assert told == [str(days) for days in kept]


async def test_a_server_purges_by_its_setting(tmp_path: Path) -> None:
    """All but the newest row of a room, for all are of 2023."""
    async with Database.open(tmp_path) as database:
        room_id = await a_full_room(House(database))
    for days, left in ((None, ROWS), (30, 1)):
        settings = Settings(port=0, data_dir=tmp_path, retention_days=days)
        async with serving(settings) as node:
            await node.chat.retention.purge()
        async with Database.open(tmp_path) as database:
            assert await rows_of(database, room_id) == left
