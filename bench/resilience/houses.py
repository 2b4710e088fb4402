"""Where the crowd meets: rooms of Parley, or that of Socket.IO on Node.js."""

import asyncio
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import aiohttp

from bench.chat.server import Server, serving
from bench.chat.world import DAY_S, create_room
from bench.peers import NODE, free_port, listening
from bench.resilience.crowd import Person, Plan
from parley.server.auth import TokenMint
from parley.server.keys import KeyRing, SigningKey

HOST = "127.0.0.1"
ADDING_AT_ONCE = 16


class House(Protocol):
    """A server that can be started, killed, and started again."""

    @property
    def name(self) -> str:
        """Return what it is called in a table."""
        ...

    def serving(self, folder: Path) -> AbstractContextManager[int]:
        """Run it; yield its process id. Entered again it has the same address and files."""
        ...

    async def plan(self, clients: int, *, room_size: int) -> Plan:
        """Make rooms of so many people, and a speaker who is in all of them."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ParleyHouse:
    """A real ``parley serve`` on SQLite, and the client of its chat page."""

    parley: Path
    name: str = "Parley"
    port: int = field(default_factory=free_port)
    key: SigningKey = field(default_factory=SigningKey.generate)

    @contextmanager
    def serving(self, folder: Path) -> Generator[int]:
        """See `House`."""
        with serving(self.parley, folder, self.key, port=self.port) as server:
            yield server.pid

    async def plan(self, clients: int, *, room_size: int) -> Plan:
        """See `House`; the speaker owns the rooms."""
        mint = TokenMint(KeyRing((self.key,)))
        server = Server(host=HOST, port=self.port, pid=0)
        token = mint.mint("speaker", ttl_s=DAY_S)
        rooms: list[str] = []
        people: list[Person] = []
        for first in range(0, clients, room_size):
            room = await create_room(server, token, name=f"Room {first // room_size}")
            users = [f"user-{n}" for n in range(first, min(first + room_size, clients))]
            await _add(f"{server.url}/api/v1/rooms/{room}/members", token, users)
            rooms.append(room)
            people += (
                {"user": user, "token": mint.mint(user, ttl_s=DAY_S), "rooms": [room]}
                for user in users
            )
        speaker: Person = {"user": "speaker", "token": token, "rooms": rooms}
        return Plan(kind="parley", port=self.port, speaker=speaker, people=people)


async def _add(url: str, token: str, users: list[str]) -> None:
    """Make everybody a member before anybody is there to hear of it."""
    some = asyncio.Semaphore(ADDING_AT_ONCE)
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(headers=headers, raise_for_status=True) as session:

        async def add(user: str) -> None:
            async with some, session.post(url, json={"user_id": user}):
                pass

        await asyncio.gather(*map(add, users))


@dataclass(frozen=True, slots=True, kw_only=True)
class SocketIOHouse:
    """bench/servers/socketio.js, and the stock client."""

    recovery: bool  # connectionStateRecovery, with its defaults
    port: int = field(default_factory=free_port)

    @property
    def name(self) -> str:
        """Return what it is called in a table."""
        return "Socket.IO, recovery" if self.recovery else "Socket.IO"

    @contextmanager
    def serving(self, folder: Path) -> Generator[int]:
        """See `House`."""
        options = ["recovery"] * self.recovery
        with listening(NODE.command(self.port, *options)) as process:
            yield process.pid

    async def plan(self, clients: int, *, room_size: int) -> Plan:
        """See `House`: one room, of which each gets what is said once, as in rooms of Parley."""
        nobody: Person = {"user": "", "token": "", "rooms": []}
        return Plan(kind="socketio", port=self.port, speaker=nobody, people=[nobody] * clients)


def houses(parley: Path) -> list[House]:
    """Return all that are compared."""
    return [SocketIOHouse(recovery=False), SocketIOHouse(recovery=True), ParleyHouse(parley=parley)]
