"""An ack means stored: the server is killed with ``kill -9`` while it is written to (promise 1)."""

import asyncio
import random

import pytest

from tests.faults.room import Room
from tests.node_client import Node

pytestmark = pytest.mark.node

KILLS = 30
SENDS = 2_000


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_thirty_kills_under_load_lose_nothing_that_was_acked(
    room: Room, node: Node, chance: random.Random
) -> None:
    """After each one, every acked message is there exactly once, at the place its ack named."""
    enough = asyncio.Event()
    writers = await room.stock_writers(node, at_once=8)
    writing = [asyncio.create_task(writer.write(enough.is_set)) for writer in writers]
    for _ in range(KILLS):
        await room.progress.reaches(room.progress.acked + chance.randrange(120))
        await _kill_and_start(room)
    enough.set()
    await asyncio.gather(*writing)
    assert all(send.acked for send in room.record.sends)
    await room.check()


async def test_a_kill_in_the_middle_of_2000_sends(room: Room, node: Node) -> None:
    """Half of 2,000 messages are acked and 200 on their way: in the end each is there once."""
    writers = await room.stock_writers(node, at_once=50)
    for writer in writers:
        writer.say(SENDS // len(writers))
    writing = [asyncio.create_task(writer.finish()) for writer in writers]
    await room.progress.reaches(SENDS // 2)
    await _kill_and_start(room)
    await asyncio.gather(*writing)
    assert await room.check() == SENDS + len(room.clients)


async def _kill_and_start(room: Room) -> None:
    await room.server.kill()
    acked = room.record.acked
    await room.reader.disconnected.wait()
    await room.server.start()
    await room.reader.connected.wait()
    await room.check_acked(acked)
