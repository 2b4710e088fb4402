"""Messages over HTTP, with a server that goes away in between: the promises of the ack hold."""

import asyncio
import itertools
from collections import Counter
from dataclasses import dataclass, field

from aiohttp import ClientError, ClientSession, ClientTimeout

from tests.servers import ServerProcess

WRITERS = 8
ENOUGH = 150  # acknowledged, before the server goes


@dataclass(eq=False)
class Room:
    """A room on a server, and what became of each message that was sent to it."""

    server: ServerProcess
    session: ClientSession
    id: str = ""
    stored: set[str] = field(default_factory=set[str])  # keys, acknowledged
    refused: set[str] = field(default_factory=set[str])
    unknown: set[str] = field(default_factory=set[str])

    async def open(self) -> "Room":
        body = {"name": "Tea", "type": "public"}
        async with self.session.post(self._url("/rooms"), json=body) as response:
            self.id = (await response.json())["room"]["id"]
        return self

    async def send(self, key: str) -> bool:
        """Send the message of a key, once; return whether it is stored."""
        url, headers = self._url(f"/messages/rooms/{self.id}"), {"Idempotency-Key": key}
        body = {"content": {"text": key}}
        try:
            async with self.session.post(url, json=body, headers=headers) as response:
                told = await response.json()
        except (ClientError, TimeoutError):
            self.unknown.add(key)
            return False
        if response.status in (200, 201):
            self.stored.add(key)
            return True
        assert (response.status, told["error"]["code"]) == (503, "draining")
        assert response.headers["Retry-After"] == "1"
        self.refused.add(key)
        return False

    async def history(self) -> Counter[str]:
        """Return the keys of every message there is."""
        keys: Counter[str] = Counter()
        query = {"limit": "200"}
        while True:
            url = self._url(f"/messages/rooms/{self.id}")
            async with self.session.get(url, params=query) as response:
                page = await response.json()
            keys.update(m["content"]["text"] for m in page["items"] if m["type"] == "chat")
            if "next" not in page:
                return keys
            query["cursor"] = page["next"]

    def _url(self, path: str) -> str:
        return f"{self.server.url}/api/v1{path}"


def asking(server: ServerProcess) -> ClientSession:
    headers = {"Authorization": f"Bearer {server.token('alice')}"}
    return ClientSession(headers=headers, timeout=ClientTimeout(20))


async def test_a_server_that_is_stopped_keeps_what_it_acknowledged(server: ServerProcess) -> None:
    async with asking(server) as session:
        room = await Room(server, session).open()

        async def write(writer: int) -> None:
            for number in itertools.count():
                if not await room.send(f"writer-{writer}-{number}"):
                    return

        writing = [asyncio.create_task(write(writer)) for writer in range(WRITERS)]
        while len(room.stored) < ENOUGH:
            await asyncio.wait(writing, timeout=0.01)
        assert await server.stop() == 0
        await asyncio.gather(*writing)
        await server.start()
        found = await room.history()
        assert set(found.values()) == {1}
        assert room.stored <= found.keys()
        assert not room.refused & found.keys()


async def test_sending_again_after_a_kill_has_one_effect(server: ServerProcess) -> None:
    async with asking(server) as session:
        room = await Room(server, session).open()
        killed = asyncio.Event()

        async def write(writer: int) -> None:
            for number in range(60):
                while not await room.send(f"writer-{writer}-{number}"):
                    await killed.wait()

        writing = [asyncio.create_task(write(writer)) for writer in range(WRITERS)]
        while len(room.stored) < ENOUGH:
            await asyncio.wait(writing, timeout=0.01)
        await server.kill()
        await server.start()
        killed.set()
        await asyncio.gather(*writing)
        assert room.unknown  # the kill met some that were under way
        found = await room.history()
        assert set(found.values()) == {1}
        assert len(found) == WRITERS * 60
