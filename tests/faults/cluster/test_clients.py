"""Clients that go from node to node: one effect, and nothing missed (promises 2, 5 and 14)."""

import asyncio
from typing import Any

import pytest

from tests.clients import Client
from tests.faults.cluster.nodes import Cluster
from tests.faults.history import Record
from tests.faults.measures import tell
from tests.faults.receipts import data_of, message, one_effect
from tests.faults.storm import Storm
from tests.faults.writers import whole_history

pytestmark = [
    pytest.mark.mongo,
    pytest.mark.redis,
    pytest.mark.slow,
    pytest.mark.timeout(180),
]

RETRIES = 1_000
AT_ONCE = 100
CLIENTS = 400


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


async def test_the_clients_of_a_killed_node_storm_the_others(cluster: Cluster) -> None:
    """While others write there: nobody misses anything, and who was there chats on."""
    first, second, third = cluster.nodes
    async with Storm.gathering(CLIENTS, at=first, beside=(second, third)) as storm:
        await storm.breaks(f"move {second.url} {third.url}", by=first.kill)
