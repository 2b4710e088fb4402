"""Where the crowd meets: rooms of Parley, or that of Socket.IO on Node.js."""

import asyncio
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import partial
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
        """Make rooms of so many people, and speakers who are in all of them."""
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
        """See `House`."""
        mint = TokenMint(KeyRing((self.key,)))
        rooms = Rooms([self.port], partial(mint.mint, ttl_s=DAY_S))
        return await rooms.plan(clients, room_size=room_size)


class Rooms:
    """Rooms of Parley, on one server or several nodes of it."""

    def __init__(self, ports: Sequence[int], token: Callable[[str], str]) -> None:
        """Take where they are, and what makes a token for a user."""
        self._ports = ports
        self._token = token

    async def plan(self, clients: int, *, room_size: int) -> Plan:
        """See `House`; there is a speaker at each port, and the first one owns the rooms."""
        speakers = [f"speaker-{number}" for number in range(len(self._ports))]
        rooms: list[str] = []
        people: list[Person] = []
        for first in range(0, clients, room_size):
            users = [f"user-{n}" for n in range(first, min(first + room_size, clients))]
            room = await self._room(f"Room {first // room_size}", speakers, users)
            rooms.append(room)
            people += (self._person(user, [room]) for user in users)
        return Plan(
            kind="parley",
            ports=self._ports,
            speakers=[self._person(speaker, rooms) for speaker in speakers],
            people=people,
        )

    def _person(self, user: str, rooms: list[str]) -> Person:
        return {"user": user, "token": self._token(user), "rooms": rooms}

    async def _room(self, name: str, speakers: list[str], users: list[str]) -> str:
        server = Server(host=HOST, port=self._ports[0], pid=0)
        owner, *others = speakers
        token = self._token(owner)
        room = await create_room(server, token, name=name)
        await _add(f"{server.url}/api/v1/rooms/{room}/members", token, [*others, *users])
        return room


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
        return Plan(
            kind="socketio", ports=[self.port], speakers=[nobody], people=[nobody] * clients
        )


def houses(parley: Path) -> list[House]:
    """Return all that are compared."""
    return [SocketIOHouse(recovery=False), SocketIOHouse(recovery=True), ParleyHouse(parley=parley)]
