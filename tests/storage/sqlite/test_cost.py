"""What a call costs SQLite does not grow with the room: counted in its own instructions."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path

import pytest

from parley.storage.models import MessageId, RoomId, Timestamp
from parley.storage.sqlite.database import Database
from tests.storage.drafts import ANN, BOB, EPOCH, append, deleted, edited, new_room, reacted, said
from tests.storage.stores import Store, sqlite_store

SMALL, LARGE = 100, 3_000  # rows

Call = Callable[[Store, RoomId, int, MessageId], Awaitable[object]]

FUTURE = Timestamp(1 << 50)


async def unread_rooms(store: Store, room_id: RoomId, head: int) -> None:
    await store.members.mark_read(room_id, ANN, head)
    await store.members.unread(ANN)


async def overviews(store: Store, room_id: RoomId, head: int) -> None:
    await store.members.mark_read(room_id, ANN, head)
    await store.members.overviews(ANN, limit=20)


CALLS: dict[str, Call] = {
    "say": lambda s, room, _, _id: append(s, room, said(ANN)),
    "edit": lambda s, room, _, target: append(s, room, edited(BOB, target, "x")),
    "delete": lambda s, room, _, target: append(s, room, deleted(BOB, target)),
    "react": lambda s, room, _, target: append(s, room, reacted(ANN, target, "+1")),
    "read": lambda s, room, head, _: s.members.mark_read(room, ANN, head),
    "changes": lambda s, room, _, _id: s.messages.changes(room, after=20, limit=20),
    "nothing new": lambda s, room, head, _: s.messages.changes(room, after=head),
    "newest": lambda s, room, _, _id: s.messages.history(room, limit=20),
    "oldest": lambda s, room, _, _id: s.messages.history(room, after=0, limit=20),
    "get": lambda s, _room, _, target: s.messages.get(target),
    "nothing unread": lambda s, room, head, _: s.messages.unread(room, ANN, after=head),
    "unread rooms": lambda s, room, head, _: unread_rooms(s, room, head),
    "overviews": lambda s, room, head, _: overviews(s, room, head),
    "written by": lambda s, _room, _, _id: s.messages.written_by(BOB, reader=ANN, limit=20),
    "purge": lambda s, room, _, _id: s.messages.purge(room, before=FUTURE, limit=20),
    "oldest kept": lambda s, room, _, _id: s.messages.oldest(room),
    "among": lambda s, room, _, _id: s.members.among(ANN, [room]),
    "rooms": lambda s, _room, _, _id: s.members.of_user(ANN),
    "room": lambda s, room, _, _id: s.rooms.get(room),
    "heads": lambda s, room, _, _id: s.rooms.heads([room]),
}


class Meter:
    """Counts tens of instructions of SQLite's virtual machine, on every connection."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._count = 0

    def _tick(self) -> None:
        self._count += 1

    async def install(self) -> None:
        await self._database.read(lambda c: c.set_progress_handler(self._tick, 10))
        await self._database.write(lambda c: c.set_progress_handler(self._tick, 10))

    async def of(self, call: Awaitable[object]) -> int:
        before = self._count
        await call
        return self._count - before


@pytest.fixture
async def metered(folder: Path) -> AsyncGenerator[tuple[Store, Meter], None]:
    async with Database.open(folder, readers=1) as database:
        meter = Meter(database)
        await meter.install()
        yield sqlite_store(database), meter


async def test_deleting_costs_the_same_for_a_large_room(metered: tuple[Store, Meter]) -> None:
    """The room itself, and each step in which what it left is swept."""
    (store, meter), costs = metered, list[tuple[int, int]]()
    for number, rows in enumerate((1, SMALL, LARGE)):
        room_id = await new_room(store, ANN, BOB)
        await append(store, room_id, *[said(BOB, mentions=[ANN]) for _ in range(rows)])
        deleting = store.rooms.delete(
            room_id, epoch=EPOCH, after=rows + 2, new_epoch=f"{number:08}", at=FUTURE
        )
        deletion = await meter.of(deleting)
        costs.append((deletion, await meter.of(store.rooms.sweep(limit=20))))
        while await store.rooms.sweep(limit=1_000):
            pass
    _, small, large = costs  # the first prepares the statements
    assert all(
        of_large <= of_small * 1.5 + 20 for of_small, of_large in zip(small, large, strict=True)
    )


async def test_nothing_to_sweep_is_found_at_once(metered: tuple[Store, Meter]) -> None:
    """However many rooms there are, and however many were deleted before."""
    (store, meter), costs = metered, list[int]()
    for _ in range(3):
        for _ in range(100):
            await new_room(store, ANN)
            room_id = await new_room(store, ANN)
            await store.rooms.delete(room_id, epoch=EPOCH, after=1, new_epoch="11111111", at=FUTURE)
        while await store.rooms.sweep(limit=1_000):
            pass
        costs.append(await meter.of(store.rooms.sweep(limit=1_000)))
    assert costs[2] <= costs[1] + 5


@pytest.mark.parametrize("name", CALLS)
async def test_a_call_costs_the_same_in_a_large_room(
    metered: tuple[Store, Meter], name: str
) -> None:
    """A room of thirty times the rows takes hardly more instructions."""
    (store, meter), costs = metered, list[int]()
    for rows in (SMALL, LARGE):
        room_id = await new_room(store, ANN, BOB)
        first = said(BOB, mentions=[ANN])
        await append(store, room_id, first, edited(BOB, first.id, "x", mentions=[ANN]))
        await append(store, room_id, *[said(BOB, mentions=[ANN]) for _ in range(rows)])
        head = (await store.rooms.heads([room_id]))[room_id].rev
        call = CALLS[name]
        await call(store, room_id, head, first.message_id)  # what is prepared once
        costs.append(await meter.of(call(store, room_id, head, first.message_id)))
    small, large = costs
    assert large <= small * 1.5 + 20
