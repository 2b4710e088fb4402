"""One who says more than anybody can read, and how a reader catches up with it."""

from typing import Any, Self

import aiohttp

from tests.clients import ChatClient, Lost, new_client_id
from tests.faults.history import Message
from tests.faults.measures import memory_of
from tests.raw_client import RawClient
from tests.servers import ServerProcess

TEXT = "\U0001f40c" * 4_000  # 16,000 bytes, the longest there is
BURST = 8  # messages that are sent in one tick
BURSTS = 125  # 16 MB in all


class Flood:
    """A room, and the one who writes there."""

    def __init__(self, author: ChatClient, server: ServerProcess, room: Any) -> None:
        self.author = author
        self.server = server
        self.room_id: str = room["room"]["id"]
        self.epoch: str = room["sync"]["upto"].partition(".")[0]
        self.head: int = room["sync"]["head"]  # the position of the last message
        self.growth = 0  # bytes of memory that the last flood has cost at most

    @classmethod
    async def ready(cls, http: aiohttp.ClientSession, server: ServerProcess) -> Self:
        """Connect the author and make the room."""
        author = await RawClient(http).connect(server.url, server.token("author"))
        await author.ready()
        return cls(author, server, await author.call("create_room", name="Flood", type="public"))

    async def pour(self) -> None:
        """Say it, and see that each message is acked."""
        held = most = memory_of(self.server.pid)
        for _ in range(BURSTS):
            acks = await self.author.burst([self._message(TEXT) for _ in range(BURST)])
            seqs = [ack["data"]["seq"] for ack in acks if not isinstance(ack, Lost)]
            assert len(seqs) == BURST
            self.head = seqs[-1]
            most = max(most, memory_of(self.server.pid))
        self.growth = most - held
        self.author.events.clear()  # her own words, which she hears too

    async def say(self, text: str) -> Any:
        """Say one thing more."""
        receipt = await self.author.say(self.room_id, text)
        self.head = receipt["seq"]
        return receipt

    def _message(self, text: str) -> tuple[str, dict[str, Any]]:
        payload = {"room_id": self.room_id, "client_id": new_client_id(), "content": {"text": text}}
        return "chat", payload


async def catch_up(client: ChatClient, room_id: str, cursor: str) -> list[Message]:
    """Return what changed in a room since ``cursor``, page by page; then it is live there."""
    came: list[Message] = []
    more = True
    while more:
        part = (await client.call("sync", rooms={room_id: cursor}))["rooms"][room_id]
        assert part["state"] == "ok"
        came += part["events"]
        cursor, more = part["upto"], part["more"]
    return came
