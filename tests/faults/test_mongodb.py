"""MongoDB fails while people write: no ack is taken back, and nobody has to start anything again.

A replica set of three members and one node of ours. Promises 2 and 12; the failure table of
docs/design.md. Each test prints what it saw.
"""

import asyncio
import contextlib
import signal
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from pymongo.errors import AutoReconnect

from tests.clients import Client, Refused
from tests.faults.room import Room
from tests.mongod import Member, ReplicaSet
from tests.servers import ServerProcess

pytestmark = [pytest.mark.mongod, pytest.mark.slow, pytest.mark.timeout(240)]

ELECTION_MS = 1_000
WRITERS = 3


@pytest.fixture(scope="module")
def replica_set() -> Iterator[ReplicaSet]:
    replica_set = ReplicaSet(3, election_ms=ELECTION_MS)
    yield replica_set
    replica_set.close()


@pytest.fixture
async def server(tmp_path: Path, replica_set: ReplicaSet) -> AsyncIterator[ServerProcess]:
    """Return a node whose database is the test's own."""
    name = f"parley_faults_{time.monotonic_ns()}"
    settings = {"MONGODB_URL": replica_set.url, "PARLEY_MONGODB_DATABASE": name}
    process = ServerProcess(tmp_path / "data", env=settings)
    await process.start()
    yield process
    await process.stop()


@pytest.fixture
async def room(server: ServerProcess) -> AsyncIterator[Room]:
    room = await Room(server).open()
    yield room
    await room.close()


class Load:
    """Writers who go on until it is enough; what is acked meanwhile is held against the end."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._enough = asyncio.Event()
        self._writing: list[asyncio.Task[None]] = []

    async def begin(self, replica_set: ReplicaSet) -> None:
        """Have everybody write, once the members are whole after an earlier test."""
        await asyncio.to_thread(replica_set.whole)
        for _ in range(WRITERS):
            client = Client(reconnection=True)
            writer = await self._room.writer(client, ["websocket"], at_once=8)
            self._writing.append(asyncio.create_task(writer.write(self._enough.is_set)))
        await self.goes_on()

    async def goes_on(self) -> float:
        """Return the seconds until a good many more are acked."""
        began = time.monotonic()
        await self._room.progress.reaches(self._room.progress.acked + 200)
        return time.monotonic() - began

    async def end(self, what: str) -> None:
        """Check everything, and print it."""
        self._enough.set()
        await asyncio.gather(*self._writing)
        sends = self._room.record.sends
        stored = await self._room.check()
        tries = sum(send.tries for send in sends)
        twice = sum(bool(ack.get("duplicate")) for send in sends for ack in send.acks)
        sys.stdout.write(
            f"{what}: {len(sends)} said, {sum(s.acked for s in sends)} acked, {stored} rows, "
            f"0 lost, 0 stored twice, {tries - len(sends)} tried again, {twice} as duplicates\n"
        )
        assert all(send.acked for send in sends)


async def test_killed_primaries_take_nothing_back(room: Room, replica_set: ReplicaSet) -> None:
    """Three primaries in turn die by ``kill -9`` under load; each comes back as a secondary."""
    load = Load(room)
    await load.begin(replica_set)
    for _ in range(3):
        primary = await asyncio.to_thread(replica_set.primary)
        primary.kill()
        sys.stdout.write(f"writing went on after {await load.goes_on():.1f} s\n")
        primary.start()
        await asyncio.to_thread(replica_set.whole)
    await load.end("three primaries killed")


async def test_primaries_that_step_down_take_nothing_back(
    room: Room, replica_set: ReplicaSet
) -> None:
    """As in maintenance: five times under load."""
    load = Load(room)
    await load.begin(replica_set)
    for _ in range(5):
        primary = await asyncio.to_thread(replica_set.primary)
        await asyncio.to_thread(step_down, primary)
        sys.stdout.write(f"writing went on after {await load.goes_on():.1f} s\n")
        await asyncio.to_thread(replica_set.whole)
    await load.end("five primaries stepped down")


def step_down(primary: Member) -> None:
    # It closes its connections.
    with primary.client() as client, contextlib.suppress(AutoReconnect):
        client.admin.command("replSetStepDown", 3, secondaryCatchUpPeriodSecs=2)


async def test_a_paused_primary_takes_nothing_back(room: Room, replica_set: ReplicaSet) -> None:
    """It wakes up believing that it is the primary still, and another one is.

    That may take half a minute: the other secondary copied from it, and waits before it gives up.
    """
    load = Load(room)
    await load.begin(replica_set)
    primary = await asyncio.to_thread(replica_set.primary)
    primary.signal(signal.SIGSTOP)
    try:
        sys.stdout.write(f"writing went on after {await load.goes_on():.1f} s\n")
    finally:
        primary.signal(signal.SIGCONT)
    await load.goes_on()
    await load.end("the primary paused")


async def test_without_a_majority_sends_are_refused_and_may_be_tried_again(
    room: Room, replica_set: ReplicaSet
) -> None:
    """Two of three are away: `unavailable`, retryable; nothing is shown that is not stored."""
    load = Load(room)
    await load.begin(replica_set)
    client = Client()
    await client.connect(room.server.url, room.server.token("late"))
    await client.ready()
    await client.call("join_room", room_id=room.room_id)
    send = room.record.send("late", "to nobody", "late-and-lonely")
    primary = await asyncio.to_thread(replica_set.primary)
    others = [member for member in replica_set.members if member is not primary]
    for member in others:
        member.signal(signal.SIGSTOP)
    try:
        with pytest.raises(Refused) as refused:
            await client.say(room.room_id, send.text, send.client_id)
        assert (refused.value.code, refused.value.error["retryable"]) == ("unavailable", True)
        assert not [e for e in client.of("chat") if e["content"]["text"] == send.text]
    finally:
        for member in others:
            member.signal(signal.SIGCONT)
    sys.stdout.write(f"writing went on after {await load.goes_on():.1f} s\n")
    # Whether it was stored nobody could know. Its retry makes it certain, and has one effect.
    send.tries = 2
    send.acks.append(await client.say(room.room_id, send.text, send.client_id))
    await client.close()
    await load.end("no majority for a while")
