"""Clients that go from node to node: one effect, and nothing missed (promises 2 and 5)."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from tests.clients import Client
from tests.faults.cluster.nodes import Cluster
from tests.faults.history import Record
from tests.faults.measures import tell
from tests.faults.receipts import data_of, message, one_effect
from tests.faults.test_storm import ROOT
from tests.faults.writers import whole_history
from tests.programs import Program
from tests.raw_client import RawClient

pytestmark = [
    pytest.mark.mongo,
    pytest.mark.redis,
    pytest.mark.slow,
    pytest.mark.timeout(180),
]

RETRIES = 1_000
AT_ONCE = 100
CLIENTS = 1_000
ROOMS = 10


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def test_one_client_id_by_two_nodes_at_once_is_one_message(cluster: Cluster) -> None:
    """1,000 times: one row each, the same ack for both, and one of the two says duplicate."""
    phone, laptop = Client(), Client()
    for client, node in zip((phone, laptop), cluster.nodes, strict=False):
        await client.connect(node.url, node.token("alice"))
        await client.ready()
    created = await phone.call("create_room", name="Again", type="public")
    room_id: str = created["room"]["id"]
    await laptop.call("join_room", room_id=room_id)
    receipts: list[Any] = []
    for start in range(0, RETRIES, AT_ONCE):
        events = [message(room_id, str(n)) for n in range(start, start + AT_ONCE)]
        one, other = await asyncio.gather(phone.burst(events), laptop.burst(events))
        receipts += map(one_effect, zip(data_of(one), data_of(other), strict=True))
    kept = await whole_history(phone, room_id, Record())
    assert [m["content"]["text"] for m in kept[1:]] == [str(n) for n in range(RETRIES)]
    assert [m["id"] for m in kept[1:]] == [receipt["id"] for receipt in receipts]
    for client in (phone, laptop):
        await client.event("chat", lambda data: data["seq"] == receipts[-1]["seq"])
        assert [data["id"] for data in client.of("chat")] == [m["id"] for m in kept[1:]]
        await client.close()
    tell(f"{RETRIES} client_ids by two nodes at once: {len(kept) - 1} stored, each once")


async def test_a_thousand_clients_of_a_killed_node_resume_on_another(
    http: aiohttp.ClientSession, cluster: Cluster
) -> None:
    """While others write by the third one: nobody misses anything."""
    first, second, third = cluster.nodes
    env = {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-m", "tests.faults.crowd"]
    async with Program.running(command, cwd=ROOT, env=env) as crowd:
        host = await RawClient(http).connect(third.url, third.token("host"))
        await host.ready()
        rooms = [
            (await host.call("create_room", name=f"Hall {n}", type="public"))["room"]["id"]
            for n in range(ROOMS)
        ]
        places = [(first.token(f"guest-{n}"), rooms[n % ROOMS]) for n in range(CLIENTS)]
        crowd.type(json.dumps([first.url, places]))
        crowd.type("come")
        await crowd.prints("done: come")
        heads: dict[str, int] = {}
        back = asyncio.Event()

        async def talk() -> None:
            while not back.is_set():
                for room_id in rooms:
                    heads[room_id] = (await host.say(room_id, "on and on"))["seq"]

        talking = asyncio.create_task(talk())
        await first.kill()
        crowd.type(f"move {second.url}")
        moved = await crowd.prints("done: move")
        back.set()
        await talking
        crowd.type(f"last {json.dumps(heads)}")
        last = await crowd.prints("done: last")
        assert await crowd.ends() == 0
        await host.close()
    said = sum(heads.values()) - CLIENTS - ROOMS
    tell(f"{CLIENTS} moved, {said} said meanwhile, none missed, none twice; {moved}; {last}")
