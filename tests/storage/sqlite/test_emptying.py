"""A deletion that shares its transaction with others, and what it leaves on disk."""

import asyncio
from pathlib import Path

from parley.storage.errors import EpochChanged, NotStored
from parley.storage.models import Timestamp
from parley.storage.sqlite.database import FILE, Database
from tests.storage.drafts import ANN, EPOCH, append, new_room, said, snapshot
from tests.storage.sqlite.holding import held
from tests.storage.stores import Store, sqlite_store

NEW_EPOCH = "11111111"
SECRET = "what nobody shall find"


async def test_rows_right_behind_a_deletion_are_refused(database: Database, store: Store) -> None:
    """What the transaction remembers of the log is that it is empty, and another one."""
    room_id, other = await new_room(store, ANN), await new_room(store, ANN)
    append, delete = store.messages.append, store.rooms.delete
    async with held(database):
        jobs = [
            append(room_id, epoch=EPOCH, after=1, drafts=[said(ANN)]),
            delete(room_id, epoch=EPOCH, after=2, new_epoch=NEW_EPOCH, at=Timestamp(1)),
            append(room_id, epoch=EPOCH, after=2, drafts=[said(ANN)]),
            append(room_id, epoch=NEW_EPOCH, after=0, drafts=[said(ANN)]),
            append(other, epoch=EPOCH, after=1, drafts=[said(ANN)]),
        ]
        waiting = asyncio.gather(*jobs, return_exceptions=True)
    first, deleted, old, new, elsewhere = await waiting
    assert isinstance(old, EpochChanged)
    assert isinstance(new, NotStored)
    assert not any(isinstance(outcome, Exception) for outcome in (first, deleted, elsewhere))
    assert (await snapshot(store, room_id)).head == 0
    assert (await snapshot(store, other)).head == 2


async def test_a_sweep_that_was_cut_short_goes_on(folder: Path) -> None:
    """A process that opens the file later shows nothing of the room, and removes the rest."""
    async with Database.open(folder) as database:
        store = sqlite_store(database)
        room_id = await new_room(store, ANN)
        messages = await append(store, room_id, *[said(ANN, SECRET) for _ in range(9)])
        await store.rooms.delete(
            room_id, epoch=EPOCH, after=10, new_epoch=NEW_EPOCH, at=Timestamp(1)
        )
        assert await store.rooms.sweep(limit=4) == 4
    assert SECRET.encode() in (folder / FILE).read_bytes()
    async with Database.open(folder) as database:
        store = sqlite_store(database)
        assert [await store.messages.get(message.id) for message in messages] == [None] * 9
        assert [await store.rooms.sweep(limit=4) for _ in range(3)] == [4, 2, 0]
    assert SECRET.encode() not in (folder / FILE).read_bytes()
