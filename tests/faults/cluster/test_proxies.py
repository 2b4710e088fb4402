"""Stock clients behind nginx and HAProxy, while nodes are restarted one by one (promise 21)."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from parley.server.proxies.configuration import PROXIES
from tests import balancers
from tests.clients import ChatClient, Client
from tests.faults.cluster.nodes import Cluster
from tests.faults.measures import tell
from tests.faults.room import Room
from tests.node_client import Node, NodeClient

pytestmark = [
    pytest.mark.mongo,
    pytest.mark.redis,
    pytest.mark.node,
    pytest.mark.slow,
    pytest.mark.timeout(240),
]


@pytest.mark.parametrize(
    "proxy", [pytest.param(name, marks=getattr(pytest.mark, name)) for name in PROXIES]
)
async def test_a_rolling_restart_behind_a_proxy_loses_nothing(
    proxy: str, tmp_path: Path, cluster: Cluster, node: Node
) -> None:
    """JavaScript and Python, polling and WebSocket; nobody knows of nodes, nobody has a cookie."""
    nodes = {f"n{number}": server for number, server in enumerate(cluster.nodes, 1)}
    clients: list[tuple[ChatClient, str]] = [
        (kind, by)
        for by in ("polling", "websocket")
        for kind in (NodeClient(node), Client(reconnection=True))
    ]
    async with balancers.running(proxy, tmp_path, nodes) as url:
        room = await Room(replace(cluster.nodes[0], url=url)).open()
        enough = asyncio.Event()
        try:
            writers = [await room.writer(client, [by], at_once=4) for client, by in clients]
            writing = [asyncio.create_task(writer.write(enough.is_set)) for writer in writers]
            for server in cluster.nodes:
                await room.progress.reaches(room.progress.acked + 100)
                assert await server.stop() == 0
                await server.start()
            await room.progress.reaches(room.progress.acked + 100)
            enough.set()
            await asyncio.gather(*writing)
            head = max(send.acks[0]["seq"] for send in room.record.sends)
            await asyncio.gather(*(client.hears(head) for client in room.clients))
            stored = await room.check()
        finally:
            await room.close()
    said = len(room.record.sends)
    tries = sum(send.tries for send in room.record.sends)
    assert all(send.acked for send in room.record.sends)
    tell(f"{proxy}: {said} said and acked, {stored} rows, 0 lost, {tries - said} tried again")
