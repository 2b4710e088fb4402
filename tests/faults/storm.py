"""Guests who all come back at once, while others are there and chat on."""

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path
from typing import Self

import aiohttp

from tests.clients import ChatClient, new_client_id
from tests.faults.measures import tell
from tests.faults.neighbours import Neighbours, p99
from tests.programs import Program
from tests.raw_client import RawClient
from tests.servers import ServerProcess

Blow = Callable[[], Awaitable[None]]
"""Ends the connections of all guests."""

ROOT = Path(__file__).parent.parent.parent
ROOMS = 10
CALM = 200  # messages next door before the storm
SHARE = 0.25  # of the storm that a message may wait: who was there does not queue behind them
MOST = 0.9  # of the messages; of some dozens in a storm, a busy machine may keep up one or two


class Storm:
    """A crowd of guests in a process of its own; a host in all their rooms; two neighbours."""

    def __init__(self, crowd: Program, host: ChatClient, neighbours: Neighbours) -> None:
        self._crowd = crowd
        self._host = host
        self._neighbours = neighbours
        self._rooms: list[str] = []
        self._before = 0  # rows of all rooms
        self._heads: dict[str, int] = {}
        self._lasted = 0.0

    @classmethod
    @contextlib.asynccontextmanager
    async def gathering(
        cls, guests: int, *, at: ServerProcess, beside: tuple[ServerProcess, ServerProcess]
    ) -> AsyncGenerator[Self]:
        """Bring everybody in.

        Args:
            at: The server of the guests.
            beside: Those of Ann, and of Ben and the host, which nothing happens to.
        """
        command = [sys.executable, "-m", "tests.faults.crowd"]
        env = {"PYTHONPATH": os.pathsep.join(sys.path)}
        one, other = beside
        async with (
            aiohttp.ClientSession() as http,
            Program.running(command, cwd=ROOT, env=env) as crowd,
        ):
            neighbours = await Neighbours.meet(http, one, other=other)
            host = await RawClient(http).connect(other.url, other.token("host"))
            storm = cls(crowd, host, neighbours)
            await storm._invite(guests, at)
            yield storm
            assert await crowd.ends() == 0
            await neighbours.leave()
            await host.close()

    async def breaks(self, command: str, *, by: Blow | None = None) -> None:
        """Check that nobody misses anything, and that the neighbours hardly wait.

        Args:
            command: How the crowd comes back.
            by: What makes it; None: the crowd itself does.
        """
        calm = [await self._neighbours.chat() for _ in range(CALM)]
        stormy = await self._neighbours.chat_during(self._rage(command, by))
        self._crowd.type(f"last {json.dumps(self._heads)}")
        await self._crowd.prints("done: last")
        before, during, most = p99(calm), p99(stormy), sorted(stormy)[int(len(stormy) * MOST)]
        tell(
            f"next door p99 {before:.4f} s, in the storm of {self._lasted} s {during:.4f} s, "
            f"{during / before:.1f} times that, of {len(stormy)}, p90 {most:.4f} s; "
            f"{sum(self._heads.values()) - self._before} said to guests, none missed, none twice"
        )
        assert most < SHARE * self._lasted
        self._neighbours.check()

    async def _invite(self, guests: int, at: ServerProcess) -> None:
        await self._host.ready()
        for number in range(ROOMS):
            made = await self._host.call("create_room", name=f"Hall {number}", type="public")
            self._rooms.append(made["room"]["id"])
        places = [(at.token(f"guest-{n}"), self._rooms[n % ROOMS]) for n in range(guests)]
        self._crowd.type(json.dumps([at.url, places]))
        self._crowd.type("come")
        await self._crowd.prints("done: come")
        self._before = ROOMS + guests

    async def _rage(self, command: str, by: Blow | None) -> None:
        if by is not None:
            await by()
        self._crowd.type(command)
        await self._crowd.prints("all cut off")
        back = asyncio.Event()
        talking = asyncio.create_task(self._talk(back))
        name = command.partition(" ")[0]
        self._lasted = float((await self._crowd.prints(f"done: {name}")).split()[-2])
        back.set()
        await talking

    async def _talk(self, back: asyncio.Event) -> None:
        """Say something in each room, over and over, while they are away and come back."""
        while not back.is_set():
            for room_id in self._rooms:
                self._heads[room_id] = (await self._host.say(room_id, new_client_id()))["seq"]
