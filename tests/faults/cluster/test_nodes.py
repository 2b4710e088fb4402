"""Nodes come and go under load: one order, nothing lost (promises 3 and 21)."""

import asyncio
import random

import aiohttp
import pytest

from tests.clients import ChatClient, Client
from tests.faults.cluster.load import Load
from tests.faults.cluster.nodes import Cluster
from tests.faults.measures import tell
from tests.faults.room import Room
from tests.faults.writers import Writer
from tests.node_client import Node, NodeClient
from tests.raw_client import RawClient

pytestmark = [
    pytest.mark.mongo,
    pytest.mark.redis,
    pytest.mark.slow,
    pytest.mark.timeout(180),
]

EACH = 25


@pytest.mark.node
async def test_twenty_writers_on_three_nodes_are_seen_in_one_order(
    room: Room, cluster: Cluster, node: Node, chance: random.Random
) -> None:
    async with aiohttp.ClientSession() as http:
        kinds: list[tuple[ChatClient, str]] = [
            *((Client(), by) for by in ("websocket", "websocket", "polling")),
            *((NodeClient(node), by) for by in ("websocket", "websocket", "polling", "polling")),
            *((RawClient(http), "websocket") for _ in range(13)),
        ]
        writers: list[Writer] = []
        for number, (client, by) in enumerate(kinds):
            at_once, server = chance.randrange(1, EACH), cluster.nodes[number % 3]
            writers.append(await room.writer(client, [by], at_once=at_once, server=server))
            writers[-1].say(EACH)
        await asyncio.gather(*(writer.finish() for writer in writers))
        head = max(send.acks[0]["seq"] for send in room.record.sends)
        for client in room.clients:
            await client.event("chat", lambda data: data["seq"] == head)
        assert await room.check() == head == 1 + len(writers) + len(writers) * EACH
        for client in room.clients:
            assert len(client.of("chat")) == len(writers) * EACH
        await room.close()
        room.clients.clear()
    tell(f"{len(writers) * EACH} of 20 writers on 3 nodes, one order for 21 readers")


async def test_a_rolling_restart_loses_nothing(room: Room, cluster: Cluster) -> None:
    """Each node in turn is told to stop, and started again."""
    load = Load(room, cluster)
    await load.begin()
    for node in cluster.nodes:
        assert await node.stop() == 0
        await node.start()
        await load.goes_on()
    await load.end("three nodes restarted one by one")


async def test_killed_nodes_lose_nothing(room: Room, cluster: Cluster) -> None:
    load = Load(room, cluster)
    await load.begin()
    for node in [*cluster.nodes, *cluster.nodes]:
        await node.kill()
        await node.start()
        await load.goes_on()
    await load.end("six kills of nodes")
