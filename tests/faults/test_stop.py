"""A deploy loses nothing: the server is told to stop while it is written to (promise 21)."""

import asyncio
import random

import pytest

from tests.faults.room import Room
from tests.node_client import Node

pytestmark = pytest.mark.node

GONE_S = 10.0
RESTARTS = 5
AT_ONCE = 2_000  # of each writer: far more than the server has done when the first are seen


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_restarts_under_load_lose_nothing(
    room: Room, node: Node, chance: random.Random
) -> None:
    """Each time the process is gone in time, and every event was answered or its socket closed.

    What was refused is not stored; what nobody knows about is sent again and has one effect.
    """
    enough = asyncio.Event()
    writers = await room.stock_writers(node, at_once=20)
    writing = [asyncio.create_task(writer.write(enough.is_set)) for writer in writers]
    for _ in range(RESTARTS):
        await room.progress.reaches(room.progress.acked + chance.randrange(100, 300))
        async with asyncio.timeout(GONE_S):
            assert await room.server.stop() == 0
        acked = room.record.acked
        await room.reader.disconnected.wait()
        await room.server.start()
        await room.reader.connected.wait()
        await room.check_acked(acked)
    enough.set()
    await asyncio.gather(*writing)
    assert all(send.acked for send in room.record.sends)
    await room.check()


async def test_what_was_refused_while_stopping_is_not_stored(room: Room, node: Node) -> None:
    """Nobody sends again here: acked is stored, refused is not, each sender's order holds."""
    writers = await room.stock_writers(node, at_once=AT_ONCE)
    for writer in writers:
        writer.say(AT_ONCE)
    sending = [asyncio.create_task(writer.send()) for writer in writers]
    await room.reader.event("chat", lambda data: data["seq"] > 100)
    async with asyncio.timeout(GONE_S):
        assert await room.server.stop() == 0
    await asyncio.gather(*sending)
    assert any(send.refused for send in room.record.sends)
    await room.reader.disconnected.wait()
    await room.server.start()
    await room.reader.connected.wait()
    await room.check()
