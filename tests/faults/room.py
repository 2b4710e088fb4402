"""One room that several clients write to and one reads, whatever happens to the server."""

from collections.abc import Sequence

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


class Room:
    """A public room; its clients come back by themselves."""

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
        transports: list[str] | None = None,
        *,
        at_once: int,
        server: ServerProcess | None = None,
    ) -> Writer:
        """Bring in one who writes; she reads, too. By another ``server`` if one is given."""
        name = f"writer-{len(self.clients)}"
        self.clients.append(client)
        server = server or self.server
        await client.connect(server.url, server.token(name), transports=transports)
        await client.ready()
        await client.call("join_room", room_id=self.room_id)
        return Writer(
            client,
            name,
            self.room_id,
            reader=self.reader,
            record=self.record,
            progress=self.progress,
            at_once=at_once,
        )

    async def stock_writers(self, node: Node, *, at_once: int) -> list[Writer]:
        """Bring in three Python clients, one of them polling, and one of JavaScript."""
        clients: list[tuple[ChatClient, str]] = [
            (Client(reconnection=True), "websocket"),
            (Client(reconnection=True), "websocket"),
            (Client(reconnection=True), "polling"),
            (NodeClient(node), "websocket"),
        ]
        return [await self.writer(client, [by], at_once=at_once) for client, by in clients]

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
