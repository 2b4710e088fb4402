"""The data folder: one owner, one direction of versions, nothing left of what is deleted."""

import asyncio
import os
import sqlite3
import stat
import sys
from pathlib import Path

import pytest

from parley.storage.errors import DataFolderInUse, StorageError, StorageUnavailable
from parley.storage.sqlite.database import FILE, Database
from parley.storage.sqlite.schema import MIGRATIONS
from tests.storage.drafts import ANN, append, deleted, edited, new_room, said
from tests.storage.stores import Store, sqlite_store


def files(folder: Path) -> list[Path]:
    return list(folder.iterdir())


def rights(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def write_nonsense(folder: Path) -> None:
    folder.mkdir()
    (folder / FILE).write_bytes(b"not a database " * 1000)


async def test_a_folder_has_one_owner(folder: Path, database: Database) -> None:
    """A second opening is refused with the folder's name, and possible after the first ends."""
    with pytest.raises(DataFolderInUse, match=str(folder)):
        async with Database.open(folder):
            pass


async def test_a_folder_is_free_after_closing(folder: Path) -> None:
    """What was stored is there at the next opening."""
    async with Database.open(folder) as database:
        store = sqlite_store(database)
        room_id = await new_room(store, ANN)
        (message,) = await append(store, room_id, said(ANN))
    async with Database.open(folder) as database:
        assert await sqlite_store(database).messages.get(message.id) == message


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such rights")
async def test_only_the_owner_can_read_it(folder: Path, store: Store) -> None:
    """Folder and files are closed to other users of the machine."""
    await new_room(store, ANN)
    assert rights(folder) == 0o700
    assert {rights(file) for file in files(folder)} == {0o600}


async def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """The error says which folder, when a file is in its place."""
    (tmp_path / "file").touch()
    with pytest.raises(StorageUnavailable, match="file"):
        async with Database.open(tmp_path / "file" / "data"):
            pass


async def test_a_newer_file_is_left_alone(folder: Path) -> None:
    """A file of a newer release is refused, and the folder is free again."""
    async with Database.open(folder):
        pass
    with sqlite3.connect(folder / FILE) as connection:
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    connection.close()
    for _ in range(2):
        with pytest.raises(StorageError, match="newer release"):
            async with Database.open(folder):
                pass


async def test_a_file_that_is_no_database_is_refused(folder: Path) -> None:
    """Damage is a `StorageError`, not an error of the driver."""
    write_nonsense(folder)
    with pytest.raises(StorageError):
        async with Database.open(folder):
            pass


async def test_a_closed_database_is_unavailable(folder: Path) -> None:
    """Calls after the end are refused, they do not hang."""
    async with Database.open(folder) as database:
        store = sqlite_store(database)
        room_id = await new_room(store, ANN)
    with pytest.raises(StorageUnavailable):
        await store.rooms.get(room_id)
    with pytest.raises(StorageUnavailable):
        await store.members.mark_read(room_id, ANN, 1)


async def test_what_is_deleted_is_not_in_the_file(folder: Path) -> None:
    """No byte of a deleted message is left, of an edited one nothing but the last text."""
    async with Database.open(folder) as database:
        store = sqlite_store(database)
        room_id = await new_room(store, ANN)
        message, kept = said(ANN, "SECRET-1"), said(ANN, "SECRET-4")
        long = said(ANN, "SECRET-5" * 2000)
        await append(store, room_id, message, kept, long, *[said(ANN, "x" * 500)] * 20)
        await append(store, room_id, edited(ANN, message.id, "SECRET-2"))
        await append(store, room_id, edited(ANN, kept.id, "PUBLIC"))
        await append(store, room_id, deleted(ANN, message.id), deleted(ANN, long.id))
    left = b"".join(file.read_bytes() for file in files(folder))
    assert b"PUBLIC" in left
    assert b"SECRET" not in left


async def test_a_missing_row_is_noticed(store: Store, database: Database) -> None:
    """A page across a hole in the log is not dense, one before or after it is."""
    room_id = await new_room(store, ANN)
    await append(store, room_id, *[said(ANN) for _ in range(5)])
    await database.write(lambda c: c.execute("DELETE FROM log WHERE rev = 4").rowcount)
    dense = [(await store.messages.changes(room_id, after=n, limit=2)).dense for n in range(6)]
    assert dense == [True, True, False, False, True, True]
    assert not (await store.messages.changes(room_id, after=0)).dense


async def test_the_file_is_whole_after_closing(folder: Path, store: Store) -> None:
    """Many rooms written at once leave a file that passes SQLite's own check."""
    rooms = [await new_room(store, ANN) for _ in range(10)]
    for _ in range(5):
        await asyncio.gather(*[append(store, room_id, said(ANN)) for room_id in rooms])
    connection = sqlite3.connect(folder / FILE)
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()
    assert (folder / f"{FILE}-wal").exists()
    assert os.access(folder / FILE, os.R_OK)
