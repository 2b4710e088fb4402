"""A reconnect storm is survived by those who come, and by those who are there (promise 14)."""

import asyncio
import json
import os
import sys
from pathlib import Path

import aiohttp
import pytest

from tests.clients import new_client_id
from tests.faults.measures import tell
from tests.faults.neighbours import Neighbours, p99
from tests.programs import Program
from tests.raw_client import RawClient
from tests.servers import ServerProcess

ROOT = Path(__file__).parent.parent.parent
CLIENTS = 1_000
ROOMS = 10
CALM = 200  # messages next door before the storm
SHARE = 0.25  # of the storm that a message may wait: who was there does not queue behind them


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_a_thousand_who_come_back_at_once(server: ServerProcess) -> None:
    """All are in again and have missed nothing of what was said meanwhile; the others chat on."""
    command = [sys.executable, "-m", "tests.faults.crowd"]
    env = {"PYTHONPATH": os.pathsep.join(sys.path)}
    async with (
        aiohttp.ClientSession() as http,
        Program.running(command, cwd=ROOT, env=env) as crowd,
    ):
        neighbours = await Neighbours.meet(http, server)
        host = await RawClient(http).connect(server.url, server.token("host"))
        await host.ready()
        rooms = [
            (await host.call("create_room", name=f"Hall {n}", type="public"))["room"]["id"]
            for n in range(ROOMS)
        ]
        places = [(server.token(f"guest-{n}"), rooms[n % ROOMS]) for n in range(CLIENTS)]
        crowd.type(json.dumps([server.url, places]))
        crowd.type("come")
        await crowd.prints("done: come")
        calm = [await neighbours.chat() for _ in range(CALM)]

        heads: dict[str, int] = {}
        back = asyncio.Event()
        lasted = 0.0

        async def talk() -> None:
            """Say something in each room, over and over, while they are away and come back."""
            while not back.is_set():
                for room_id in rooms:
                    heads[room_id] = (await host.say(room_id, new_client_id()))["seq"]

        async def storm() -> None:
            nonlocal lasted
            crowd.type("storm")
            await crowd.prints("all cut off")
            talking = asyncio.create_task(talk())
            lasted = float((await crowd.prints("done: storm")).split()[-2])
            back.set()
            await talking

        stormy = await neighbours.chat_during(storm())
        crowd.type(f"last {json.dumps(heads)}")
        await crowd.prints("done: last")
        said = sum(heads.values()) - CLIENTS - ROOMS
        tell(f"p99 {p99(calm):.4f} s, in the storm of {lasted} s {p99(stormy):.4f} s; {said} said")
        assert p99(stormy) < SHARE * lasted
        neighbours.check()
        assert await crowd.ends() == 0
        await neighbours.leave()
        await host.close()
