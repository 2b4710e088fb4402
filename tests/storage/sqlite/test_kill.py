"""``kill -9`` in the middle of appending: what was acknowledged is there, once."""

import asyncio
import os
import sys
from collections import Counter
from pathlib import Path

from parley.storage.sqlite.database import Database
from tests.storage.sqlite.appender import ROOMS
from tests.storage.stores import sqlite_store

ROOT = Path(__file__).parents[3]
LINES = 900  # acknowledged rows before each kill


async def killed_after(folder: Path, start: int, lines: int) -> list[tuple[str, int, int]]:
    """Run the appender until it has acknowledged ``lines`` rows; return all it acknowledged."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.storage.sqlite.appender", str(folder), str(start)),
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT / ".links")},
    )
    assert process.stdout is not None
    acked = [await process.stdout.readline() for _ in range(lines)]
    process.kill()
    acked += (await process.stdout.read()).splitlines(keepends=True)
    await process.wait()
    rows = [line.decode().split() for line in acked if line.endswith(b"\n")]
    return [(room_id, int(number), int(rev)) for room_id, number, rev in rows]


async def test_what_was_acknowledged_survives_every_kill(tmp_path: Path) -> None:
    """After four kills each acknowledged row is at its position, and each number is there once.

    Every run sends again what the one before may or may not have stored.
    """
    acked: dict[tuple[str, int], int] = {}
    for _ in range(4):
        resume = min((_last(acked, room_id) for room_id in ROOMS), default=0)
        for room_id, number, rev in await killed_after(tmp_path, max(0, resume - 30), LINES):
            assert acked.setdefault((room_id, number), rev) == rev
    async with Database.open(tmp_path) as database:
        store = sqlite_store(database)
        for room_id in ROOMS:
            page = await store.messages.changes(room_id, after=1)
            assert page.dense
            stored = {int(m.content["text"]): m.rev for m in page.messages}
            assert set(Counter(m.content["text"] for m in page.messages).values()) == {1}
            mine = {number: rev for (room, number), rev in acked.items() if room == room_id}
            assert mine.items() <= stored.items()
            assert sorted(stored) == list(range(len(stored)))


def _last(acked: dict[tuple[str, int], int], room_id: str) -> int:
    return max((number for room, number in acked if room == room_id), default=0)
