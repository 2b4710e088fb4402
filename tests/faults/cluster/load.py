"""Writers on every node who go on until it is enough, and what came of it."""

import asyncio
import time

from tests.clients import Client
from tests.faults.cluster.nodes import Cluster
from tests.faults.measures import tell
from tests.faults.room import Room


class Load:
    """Two writers on each node; all are readers, too."""

    def __init__(self, room: Room, cluster: Cluster) -> None:
        self._room = room
        self._cluster = cluster
        self._enough = asyncio.Event()
        self._writing: list[asyncio.Task[None]] = []
        self._began = 0.0

    async def begin(self, *, at_once: int = 8) -> None:
        """Have everybody write."""
        for node in [*self._cluster.nodes, *self._cluster.nodes]:
            client = Client(reconnection=True)
            writer = await self._room.writer(client, ["websocket"], at_once=at_once, server=node)
            self._writing.append(asyncio.create_task(writer.write(self._enough.is_set)))
        self._began = time.monotonic()
        await self.goes_on()

    async def goes_on(self, acked: int = 200) -> float:
        """Return the seconds until so many more are acked."""
        began = time.monotonic()
        await self._room.progress.reaches(self._room.progress.acked + acked)
        return time.monotonic() - began

    async def end(self, what: str) -> float:
        """Check everything and print it; return the seconds until everybody had everything."""
        self._enough.set()
        await asyncio.gather(*self._writing)
        room, took = self._room, time.monotonic() - self._began
        ended = time.monotonic()
        head = max(send.acks[0]["seq"] for send in room.record.sends)
        await asyncio.gather(*(client.hears(head) for client in room.clients))
        settled = time.monotonic() - ended
        stored = await room.check()
        sends = room.record.sends
        said = len(sends)
        delivered = sum(len(client.of("chat")) for client in room.clients)
        assert all(send.acked for send in sends)
        tell(
            f"{what}: {said} said, {room.progress.acked} acked ({said / took:.0f}/s), "
            f"{stored} rows, {delivered} delivered to {len(room.clients)} readers, 0 lost, "
            f"0 doubled, {sum(send.tries for send in sends) - said} tried again; everybody had "
            f"everything {settled:.2f} s after the last ack"
        )
        return settled
