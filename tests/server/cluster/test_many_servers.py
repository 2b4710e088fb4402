"""Backends where Redis is more than one server: with what URL, and what happens when one dies."""

import asyncio

import pytest

from tests import redis_server
from tests.e2e.backends.backend import Backend
from tests.redis_server import RedisCluster, Watched
from tests.server.cluster.nodes import Node

pytestmark = [pytest.mark.redis, pytest.mark.timeout(180)]

FAILOVER_S = 60.0
AGAIN_S = 0.2  # between tries


async def test_any_server_of_a_cluster_is_heard() -> None:
    """A backend names one, and every node hears it."""
    servers = redis_server.cluster()
    one, two = Node(servers.url), Node(servers.url)
    async with one.manager.running(), two.manager.running():
        for master in servers.masters:
            async with Backend.running("AsyncRedisManager", master.url) as backend:
                await backend.call("emit", "n", master.port)
            for node in (one, two):
                await node.hears(["n", master.port])


async def test_a_server_of_a_cluster_may_die() -> None:
    """Who was connected to it goes on at another one."""
    servers = RedisCluster()
    nodes = [Node(servers.url) for _ in range(2)]
    try:
        async with nodes[0].manager.running(), nodes[1].manager.running():
            servers.masters[0].kill()
            for node in nodes:
                await emitted_until_heard(servers.masters[1].url, node, "after")
    finally:
        servers.close()


async def test_a_master_behind_sentinels_may_die() -> None:
    """The backend asks the Sentinels, with ports and the number of the database in its URL."""
    servers = Watched()
    node = Node(servers.url)
    url = f"redis+sentinel://127.0.0.1:{servers.sentinel.port}/0/main"
    try:
        async with node.manager.running():
            await emitted_until_heard(url, node, "before")
            servers.master.kill()
            await emitted_until_heard(url, node, "after")
    finally:
        servers.close()


async def emitted_until_heard(url: str, node: Node, event: str) -> None:
    """Emit again and again: what was emitted while a server was away is lost."""
    async with asyncio.timeout(FAILOVER_S), Backend.running("AsyncRedisManager", url) as backend:
        while [event] not in node.heard():
            await backend.call("emit", event, None)
            await asyncio.sleep(AGAIN_S)
