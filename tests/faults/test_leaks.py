"""Clients that come and go, in whatever way, leave nothing behind."""

import asyncio
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from parley.server.app import running
from parley.server.assembly import Node
from parley.server.settings import Settings
from tests.clients import ChatClient, Client
from tests.proxies import Proxy
from tests.raw_client import RawClient

EACH = 15
GONE_S = 20.0  # heartbeats every second find the abandoned much sooner


@pytest.mark.timeout(60)
async def test_nothing_is_left_of_clients_that_are_gone(tmp_path: Path) -> None:
    """Tasks, sockets, sessions and Socket.IO rooms are what they were before."""
    settings = Settings(port=0, data_dir=tmp_path, ping_interval_ms=1_000, ping_timeout_ms=500)
    async with running(settings) as node, aiohttp.ClientSession() as http:
        url = f"http://127.0.0.1:{node.port}"
        await _come_and_go(node, url, http)  # opens the room's feed, which stays
        await _until(http, url, lambda: _nobody_is_left(node))
        before = _left(node)
        await _come_and_go(node, url, http)
        await _until(http, url, lambda: _left(node) == before)


async def _come_and_go(node: Node, url: str, http: aiohttp.ClientSession) -> None:
    """Have clients connect, talk, and leave politely, rudely, half way, or without a word."""
    host = await RawClient(http).connect(url, _token(node, "host"))
    room = await host.call("create_room", name="Hall", type="public", client_id="the-one-hall")
    room_id = room["room"]["id"]
    async with Proxy.before(node.port) as network:

        async def visit(number: int, by: str) -> ChatClient:
            client = Client()
            await client.connect(network.url, _token(node, f"{by}-{number}"), transports=[by])
            await client.call("join_room", room_id=room_id)
            await client.say(room_id, "hello")
            if number % 2:
                await client.close()
            return client

        async def knock(number: int) -> ChatClient:
            stranger = await RawClient(http).open(network.url)
            if number % 2:
                await stranger.send_message('0/chat,{"token":"nobody"}')
                await stranger.event("@connect_error")
            return stranger

        visits = [visit(number, by) for by in ("websocket", "polling") for number in range(EACH)]
        everybody = await asyncio.gather(*visits, *(knock(number) for number in range(EACH)))
        network.down()
        for client in everybody:
            await client.disconnected.wait()
            await client.close()
    await host.close()


def _token(node: Node, user_id: str) -> str:
    return node.mint.mint(user_id, name=None, ttl_s=600)


def _nobody_is_left(node: Node) -> bool:
    """Whether all have gone, and everything that their going sets off is over."""
    left = _left(node)
    return not any(left[name] for name in left if name != "tasks")


def _left(node: Node) -> dict[str, Any]:
    tasks = Counter(str(task.get_coro()).split(" at 0x")[0] for task in asyncio.all_tasks())
    sockets: Any = node.sockets
    return {
        "tasks": tasks,
        "rooms": {
            name: (len(space.members), len(space.rooms))
            for name, space in sockets.manager._spaces.items()
        },
        "sockets": len(sockets.eio.sockets),
        "carriers": sockets.eio.carriers,
        "ending": len(sockets.eio.crew._tasks),
        "sessions": len(sockets.namespace_handlers["/chat"].sessions),
    }


async def _until(http: aiohttp.ClientSession, url: str, there: Callable[[], bool]) -> None:
    """Ask the server for its health until something is so: it gets on meanwhile."""
    async with asyncio.timeout(GONE_S):
        while not there():
            async with http.get(f"{url}/healthz") as response:
                assert response.status == 200
