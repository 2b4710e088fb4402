"""Two people who chat while something happens to others, and how long each message took."""

import asyncio
import time
from collections.abc import Coroutine
from typing import Any, Self

import aiohttp

from tests.clients import ChatClient
from tests.raw_client import RawClient
from tests.servers import ServerProcess


class Neighbours:
    """Ann and Ben, in a room of their own."""

    def __init__(self, ann: ChatClient, ben: ChatClient, room_id: str) -> None:
        self.ann = ann
        self.ben = ben
        self.room_id = room_id
        self._said = 0

    @classmethod
    async def meet(
        cls,
        http: aiohttp.ClientSession,
        server: ServerProcess,
        *,
        other: ServerProcess | None = None,
    ) -> Self:
        """Connect both and have them join; Ben by an ``other`` server if one is given."""
        other = other or server
        ann = await RawClient(http).connect(server.url, server.token("ann"))
        ben = await RawClient(http).connect(other.url, other.token("ben"))
        await ann.ready()
        await ben.ready()
        created = await ann.call("create_room", name="Next door", type="public")
        room_id: str = created["room"]["id"]
        await ben.call("join_room", room_id=room_id)
        return cls(ann, ben, room_id)

    async def chat(self) -> float:
        """Say something and return the seconds until it was acked and heard."""
        self._said += 1
        text, mark, began = f"neighbours {self._said}", len(self.ben.events), time.monotonic()
        heard = self.ben.event("chat", lambda data: data["content"]["text"] == text, after=mark)
        await asyncio.gather(self.ann.say(self.room_id, text), heard)
        return time.monotonic() - began

    async def chat_during(self, work: Coroutine[Any, Any, Any]) -> list[float]:
        """Chat until ``work`` is done, once at least; return how long each message took."""
        task = asyncio.create_task(work)
        took = [await self.chat()]
        while not task.done():
            took.append(await self.chat())
        await task
        return took

    def check(self) -> None:
        """Look whether both are there, and heard all that was said, in order and once."""
        texts = [f"neighbours {number}" for number in range(1, self._said + 1)]
        for client in (self.ann, self.ben):
            assert not client.disconnected.is_set()
            assert [data["content"]["text"] for data in client.of("chat")] == texts

    async def leave(self) -> None:
        """Let both go."""
        await self.ann.close()
        await self.ben.close()


def p99(seconds: list[float]) -> float:
    """Return what 99 in 100 stayed below."""
    return sorted(seconds)[len(seconds) * 99 // 100]
