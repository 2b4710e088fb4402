"""An ack means stored: the server is killed with ``kill -9`` while it is written to (promise 1)."""

import asyncio
import random
from collections.abc import Sequence

import pytest

from tests.clients import ChatClient, Client
from tests.faults.history import (
    Record,
    Send,
    check_acked_is_stored,
    check_nothing_twice,
    check_positions,
)
from tests.faults.writers import Progress, Writer, seen_live, whole_history
from tests.node_client import Node, NodeClient
from tests.servers import ServerProcess

pytestmark = pytest.mark.node

KILLS = 30
SENDS = 2_000


class Room:
    """One public room with clients of several kinds that come back by themselves."""

    def __init__(self, server: ServerProcess) -> None:
        self.server = server
        self.record = Record()
        self.progress = Progress()
        self.reader = Client(reconnection=True)
        self.room_id = ""
        self.clients: list[ChatClient] = [self.reader]
        self._checked = 0  # a position up to which every ack was found kept

    async def open(self) -> "Room":
        """Create it."""
        await self.reader.connect(self.server.url, self.server.token("reader"))
        await self.reader.ready()
        created = await self.reader.call("create_room", name="Load", type="public")
        self.room_id = created["room"]["id"]
        return self

    async def writer(
        self,
        client: ChatClient,
        name: str,
        *,
        transports: list[str] | None = None,
        at_once: int = 8,
    ) -> Writer:
        """Bring in one who writes."""
        self.clients.append(client)
        await client.connect(self.server.url, self.server.token(name), transports=transports)
        await client.ready()
        await client.call("join_room", room_id=self.room_id)
        return Writer(
            client,
            name,
            self.room_id,
            record=self.record,
            progress=self.progress,
            at_once=at_once,
        )

    async def check_acked(self, acked: Sequence[Send]) -> None:
        """Hold what was acked since the last time against the history since then."""
        after = self._checked
        history = await whole_history(self.reader, self.room_id, self.record, after=after)
        said = [message for message in history if message["type"] == "chat"]
        check_positions(history, after=after)
        check_nothing_twice(said)
        check_acked_is_stored([send for send in acked if send.acks[0]["seq"] > after], said)
        self._checked = max((send.acks[0]["seq"] for send in acked), default=after)

    async def check(self) -> int:
        """Hold everything against the history and return its length."""
        history = await whole_history(self.reader, self.room_id, self.record)
        for number, client in enumerate(self.clients):
            for events in seen_live(client):
                self.record.saw(f"client {number}", events)
        self.record.check(history)
        return len(history)

    async def close(self) -> None:
        """Let everybody go."""
        for client in self.clients:
            await client.close()


async def _four_writers(room: Room, node: Node, *, at_once: int) -> list[Writer]:
    return [
        await room.writer(Client(reconnection=True), "p1", at_once=at_once),
        await room.writer(Client(reconnection=True), "p2", at_once=at_once),
        await room.writer(
            Client(reconnection=True), "polling", transports=["polling"], at_once=at_once
        ),
        await room.writer(NodeClient(node), "js", at_once=at_once),
    ]


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_thirty_kills_under_load_lose_nothing_that_was_acked(
    server: ServerProcess, node: Node, chance: random.Random
) -> None:
    """After each one, every acked message is there exactly once, at the place its ack named."""
    room = await Room(server).open()
    enough = asyncio.Event()
    writers = await _four_writers(room, node, at_once=8)
    writing = [asyncio.create_task(writer.write(enough.is_set)) for writer in writers]
    for _ in range(KILLS):
        await room.progress.reaches(room.progress.acked + chance.randrange(120))
        await server.kill()
        acked = room.record.acked
        await room.reader.disconnected.wait()
        await server.start()
        await room.reader.connected.wait()
        await room.check_acked(acked)
    enough.set()
    await asyncio.gather(*writing)
    assert all(send.acked for send in room.record.sends)
    length = await room.check()
    print(f"{length} messages over {KILLS} kills")
    await room.close()


async def test_a_kill_in_the_middle_of_2000_sends(server: ServerProcess, node: Node) -> None:
    """2,000 messages in flight, half of them acked: after the restart each is there once."""
    room = await Room(server).open()
    writers = await _four_writers(room, node, at_once=SENDS)
    for writer in writers:
        writer.say(SENDS // len(writers))
    sending = [asyncio.create_task(writer.send()) for writer in writers]
    await room.progress.reaches(0)
    await room.reader.event("chat", lambda data: data["seq"] > SENDS // 2)
    await server.kill()
    await asyncio.gather(*sending)
    at_the_kill = len(room.record.acked)
    assert 0 < at_the_kill < SENDS
    await server.start()
    await asyncio.gather(*(writer.finish() for writer in writers))
    assert await room.check() == SENDS + len(room.clients)
    print(f"{at_the_kill} were acked before the kill")
    await room.close()
