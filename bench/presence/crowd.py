"""Thousands of people, of whom some come and go; each follows the others of her room."""

import asyncio
from collections import Counter, deque
from dataclasses import dataclass, field
from http import HTTPStatus

import aiohttp

from bench.chat.server import Server
from bench.chat.world import DAY_S
from bench.paths import Unusable
from bench.presence.client import Client
from parley.server.auth import TokenMint

FOLLOWED = 50  # users, by each: the others of her room
AT_ONCE = 32  # connects under way


@dataclass
class Crowd:
    """All people, by the order in which they left; who left last comes back last."""

    server: Server
    mint: TokenMint
    online: int
    away: int  # people who wait for their turn
    heard: Counter[str] = field(default_factory=Counter[str])
    came: int = 0
    _here: deque[tuple[str, Client]] = field(default_factory=deque[tuple[str, Client]])
    _gone: deque[str] = field(default_factory=deque[str])
    _follows: dict[str, list[str]] = field(default_factory=dict[str, list[str]])

    async def gather(self) -> None:
        """Make the rooms, then let everybody come who is to be here."""
        names = [f"user-{number}" for number in range(self.online + self.away)]
        async with aiohttp.ClientSession(f"{self.server.url}/api/v1/") as http:
            for room in _rooms(names):
                await self._make(http, room)
                for name in room:
                    self._follows[name] = [other for other in room if other != name]
        # Everywhere somebody is away: first one of each room, then the next.
        order = [name for rank in range(FOLLOWED + 1) for name in names[rank :: FOLLOWED + 1]]
        self._gone.extend(order)
        for _ in range(0, self.online, AT_ONCE):
            await self.come(min(AT_ONCE, self.online - len(self._here)))

    async def turn_over(self, count: int) -> None:
        """Let some go, and as many come who were away longest."""
        for _ in range(count):
            name, client = self._here.popleft()
            client.leave()
            self._gone.append(name)
        await self.come(count)

    async def come(self, count: int) -> None:
        """Let some come."""
        names = [self._gone.popleft() for _ in range(count)]
        self._here.extend(await asyncio.gather(*map(self._enter, names)))
        self.came += count

    async def _enter(self, name: str) -> tuple[str, Client]:
        token = self.mint.mint(name, ttl_s=DAY_S)
        address = (self.server.host, self.server.port)
        return name, await Client.enter(address, token, self._follows[name], self.heard)

    async def _make(self, http: aiohttp.ClientSession, room: list[str]) -> None:
        headers = {"Authorization": f"Bearer {self.mint.mint(room[0], ttl_s=DAY_S)}"}
        body = {"name": "Room", "type": "group", "members": room[1:]}
        async with http.post("rooms", json=body, headers=headers) as answer:
            if answer.status != HTTPStatus.CREATED:
                raise Unusable(f"no room: {await answer.text()}")


def _rooms(names: list[str]) -> list[list[str]]:
    size = FOLLOWED + 1
    return [names[begin : begin + size] for begin in range(0, len(names), size)]
