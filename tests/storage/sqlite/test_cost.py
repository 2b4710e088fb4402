"""What a call costs SQLite does not grow with the room: counted in its own instructions."""

from collections.abc import AsyncGenerator, Awaitable
from pathlib import Path

import pytest

from parley.storage.sqlite.database import Database
from tests.storage.calls import CALLS, FUTURE, INBOX_CALLS, LARGE, SMALL, an_inbox_of
from tests.storage.drafts import ANN, BOB, EPOCH, append, edited, new_room, said
from tests.storage.stores import Store, sqlite_store


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


async def test_a_call_costs_the_same_in_a_large_inbox(folder: Path) -> None:
    costs: dict[str, list[int]] = {name: [] for name in INBOX_CALLS}
    for rows in (SMALL, LARGE):
        async with Database.open(folder / str(rows), readers=1) as database:
            store, meter = sqlite_store(database), Meter(database)
            one = await an_inbox_of(store, rows)
            await meter.install()
            for name, call in INBOX_CALLS.items():
                costs[name].append(await meter.of(call(store, one)))
    grown = {name: cost for name, cost in costs.items() if cost[1] > cost[0] * 1.5 + 20}
    assert grown == {}
