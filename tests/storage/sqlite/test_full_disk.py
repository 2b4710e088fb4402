"""A disk without room: nothing is stored, everyone is told, and it goes on when there is room."""

import asyncio
import sqlite3
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from parley.storage.errors import OutcomeUnknown, StorageUnavailable
from parley.storage.models import RoomId
from parley.storage.sqlite.connection import WritingConnection
from parley.storage.sqlite.database import FILE, Database
from tests.storage.drafts import ANN, append, new_room, said, texts
from tests.storage.sqlite.holding import held
from tests.storage.stores import Store


async def limit_pages(database: Database, pages: int | None) -> None:
    """Let the file grow to ``pages`` more pages, None: as far as it likes."""

    def limit(connection: WritingConnection) -> None:
        (count,) = connection.execute("PRAGMA page_count").fetchone()
        most = (1 << 31) if pages is None else count + pages
        connection.execute(f"PRAGMA max_page_count = {most}")

    await database.write(limit)


@contextmanager
def file_size_limit(size: int) -> Generator[None, None, None]:
    """Let no file of this process grow beyond ``size``, as a broken disk would."""
    import resource  # noqa: PLC0415  # not on Windows

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def log_of(store: Store, room_id: RoomId) -> list[str]:
    return texts((await store.messages.changes(room_id, after=1)).messages)


async def test_a_full_disk_stores_nothing_and_recovers(store: Store, database: Database) -> None:
    """Every caller gets `StorageUnavailable`; the same drafts are stored when there is room."""
    rooms = [await new_room(store, ANN) for _ in range(4)]
    drafts = [said(ANN, "x" * 30_000) for _ in rooms]
    await limit_pages(database, 2)
    async with held(database):
        tasks = [
            asyncio.create_task(append(store, room_id, draft))
            for room_id, draft in zip(rooms, drafts, strict=True)
        ]
    errors = await asyncio.gather(*tasks, return_exceptions=True)
    assert {type(error) for error in errors} == {StorageUnavailable}
    assert [await log_of(store, room_id) for room_id in rooms] == [[]] * 4

    await limit_pages(database, None)
    for room_id, draft in zip(rooms, drafts, strict=True):
        (message,) = await append(store, room_id, draft)
        assert (message.seq, await store.messages.get(message.id)) == (2, message)


async def test_small_rows_are_stored_beside_one_that_does_not_fit(
    store: Store, database: Database
) -> None:
    """A batch that fills the disk fails alone."""
    small, large = await new_room(store, ANN), await new_room(store, ANN)
    await limit_pages(database, 2)
    async with held(database):
        tasks = [
            asyncio.create_task(append(store, large, said(ANN, "x" * 30_000))),
            asyncio.create_task(append(store, small, said(ANN, "small"))),
        ]
    error, _ = await asyncio.gather(*tasks, return_exceptions=True)
    assert type(error) is StorageUnavailable
    assert await log_of(store, small) == ["small"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
async def test_a_commit_that_fails_stores_nothing_and_recovers(
    store: Store, database: Database, folder: Path
) -> None:
    """Everyone is told that the outcome is unknown, and may append the same again."""
    rooms = [await new_room(store, ANN) for _ in range(4)]
    drafts = [said(ANN, "again") for _ in rooms]
    with file_size_limit((folder / f"{FILE}-wal").stat().st_size):
        async with held(database):
            tasks = [
                asyncio.create_task(append(store, room_id, draft))
                for room_id, draft in zip(rooms, drafts, strict=True)
            ]
        errors = await asyncio.gather(*tasks, return_exceptions=True)
        assert {type(error) for error in errors} == {OutcomeUnknown}
        assert [await log_of(store, room_id) for room_id in rooms] == [[]] * 4
        shell = sqlite3.connect(folder / FILE, timeout=0, isolation_level=None)
        shell.execute("BEGIN IMMEDIATE")  # the failed transaction has ended
        shell.close()
    for room_id, draft in zip(rooms, drafts, strict=True):
        await append(store, room_id, draft)
    assert [await log_of(store, room_id) for room_id in rooms] == [["again"]] * 4
