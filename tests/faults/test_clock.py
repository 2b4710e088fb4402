"""Clocks may jump: an hour forward and back, while people talk (promise 10)."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from pathlib import Path

import aiohttp
import pytest

from tests.faults.room import Room
from tests.faults.wire import Wire
from tests.node_client import Node
from tests.raw_client import RawClient
from tests.servers import ServerProcess

pytestmark = [pytest.mark.node, pytest.mark.faketime]

HOUR_S = 3_600
AT_ONCE = 2  # little: a reader that cannot keep up would be silent, too
BETWEEN = 25  # messages of each writer around a jump: many heartbeats
HEARTBEAT_MS = 200


class Clock:
    """The wall clock of a server; the clock that only counts on stays as it is."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.set(0)
        self.env = {
            "LD_PRELOAD": os.environ["PARLEY_TEST_FAKETIME"],
            "DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_DISABLE_SHM": "1",  # one process: there is nobody to agree with
            "FAKETIME_TIMESTAMP_FILE": str(file),
            "FAKETIME_CACHE_DURATION": "1",  # seconds, until it is looked at again
        }

    def set(self, ahead_s: int) -> None:
        """Let it be so much ahead, from one moment to the next."""
        new = self._file.with_suffix(".new")
        new.write_text(f"{ahead_s:+d}\n")
        new.replace(self._file)  # never half a number


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    """Return the clock of the test's server."""
    return Clock(tmp_path / "clock")


@pytest.fixture
async def server(tmp_path: Path, clock: Clock) -> AsyncIterator[ServerProcess]:
    """Return a server with that clock, and with heartbeats that come soon."""
    heartbeat = str(HEARTBEAT_MS)
    env = {"PARLEY_PING_INTERVAL_MS": heartbeat, "PARLEY_PING_TIMEOUT_MS": "8000", **clock.env}
    process = await ServerProcess(tmp_path / "data", env).start()
    yield process
    await process.kill()


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_a_wall_clock_that_jumps_drops_nobody(room: Room, node: Node, clock: Clock) -> None:
    """Nobody but who is silent; the order holds, and what was acked is stored."""
    writers = await room.stock_writers(node, at_once=AT_ONCE)
    async with aiohttp.ClientSession() as http:
        clerk = await RawClient(http).connect(room.server.url, room.server.token("clerk"))
        office = (await clerk.call("create_room", name="Office", type="private"))["room"]["id"]
        for hours in (0, 1, -1, 0):
            for writer in writers:
                writer.say(BETWEEN)
            writing = asyncio.gather(*(writer.finish() for writer in writers))
            clock.set(hours * HOUR_S)
            while _ahead_h(await clerk.say(office, "What time is it?")) != hours:
                pass
            await writing
        # Who falls silent before the clock goes back is missed as soon as anybody else.
        async with Wire.open(room.server.url) as silent:
            await silent.join(room.server.token("silent"))
            clock.set(-HOUR_S)
            while _ahead_h(await clerk.say(office, "And now?")) != -1:
                pass
            await room.server.prints(b"disconnected", b"silent")
        assert not clerk.of("@disconnect")
        await clerk.close()
    assert not [send for send in room.record.sends if not send.acked or send.tries > 1]
    for client in room.clients:
        assert not client.of("@disconnect")
    await room.check()


def _ahead_h(receipt: Mapping[str, str]) -> int:
    """Return the hours that the clock was ahead from which a receipt has its timestamp."""
    said = datetime.fromisoformat(receipt["timestamp"]).timestamp()
    return round((said - time.time()) / HOUR_S)
