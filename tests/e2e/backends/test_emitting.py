"""What backends emit, with python-socketio's Redis managers, is heard by stock clients.

A backend's messages keep their order, so what must not have happened is known when a client has
heard what came after.
"""

from collections.abc import Callable
from typing import Any

import aiohttp
import pytest

from tests.clients import Client
from tests.e2e.backends.backend import EVENTS, Backend, Nodes, Visit, both_managers, fence, sid
from tests.e2e.stock import Stock, both_languages
from tests.node_client import NodeClient
from tests.raw_client import RawClient
from tests.redis_server import RedisServer

pytestmark = [pytest.mark.mongo, pytest.mark.redis, pytest.mark.asyncio(loop_scope="module")]


async def test_an_idle_node_hears_redis_from_its_start(nodes: Nodes, redis: RedisServer) -> None:
    """Both have subscribed before anybody has connected."""
    assert nodes[0].url
    client: Any
    with redis.client() as client:
        assert client.pubsub_numsub("socketio")[0][1] >= 2


@both_managers
@both_languages
async def test_what_a_backend_emits_reaches_the_user_wherever_she_is(
    nodes: Nodes,
    stock: Stock,
    new_client: Callable[..., Any],
    backend: Backend,
) -> None:
    """To a user, to several, to everybody in the namespace; whichever node she is on."""
    bell: list[Any] = []
    for node, user in zip(nodes, ("alice", "bob"), strict=True):
        client = new_client()
        client.foreign = EVENTS
        await client.connect(node.url, node.token(user), transports=stock.transports)
        await client.ready()
        bell.append(client)
    alice, bob = bell
    assert await backend.call("emit", "weather", {"t": 1}, namespace="/chat", to="user:alice")
    rooms = ["user:bob", "user:alice"]
    await backend.call("emit", "weather", {"t": 2}, namespace="/chat", room=rooms)
    await backend.call("emit", "weather", {"t": 3}, namespace="chat")
    await backend.call("emit", "weather", {"t": 4}, namespace="/presence")
    await fence(backend, alice, bob)
    assert alice.of("weather") == [{"t": 1}, {"t": 2}, {"t": 3}]
    assert bob.of("weather") == [{"t": 2}, {"t": 3}]
    for client in bell:
        await client.close()


@pytest.mark.node
async def test_bytes_reach_javascript(nodes: Nodes, node: Any, backend: Backend) -> None:
    """What was packed for Redis is binary again for the client."""
    client = NodeClient(node)
    client.foreign = EVENTS
    await client.connect(nodes[0].url, nodes[0].token("alice"))
    await backend.call("emit", "weather", {"raw": b"\x01\xff"}, namespace="/chat", to="user:alice")
    assert await client.event("weather") == {"raw": {"type": "Buffer", "data": [1, 255]}}
    await client.close()


@both_managers
async def test_arguments_arrive_as_they_were_given(
    nodes: Nodes, visit: Visit, backend: Backend
) -> None:
    """None, one list, several, and bytes among them."""
    alice = await visit(nodes[1], "alice")
    for data in (None, [1, 2], ("a", {"b": b"\x00"}), {"c": [True, 1.5, "ü"]}):
        await backend.call("emit", "weather", data, namespace="/chat", to=sid(alice))
    await fence(backend, alice)
    assert alice.of("weather") == [None, [1, 2], ("a", {"b": b"\x00"}), {"c": [True, 1.5, "ü"]}]


async def test_a_notification_reaches_clients_as_it_is(nodes: Nodes, backend: Backend) -> None:
    """Without a place in the inbox, and without one there."""
    bell = Client("/notification")
    bell.foreign = frozenset({"notification"})
    await bell.connect(nodes[0].url, nodes[0].token("alice"))
    await bell.ready()
    said = {"title": "Tea"}
    await backend.call("emit", "notification", said, namespace="/notification", to="user:alice")
    assert await bell.event("notification") == said
    assert (await bell.call("list"))["notifications"] == []
    await bell.close()


@pytest.mark.parametrize("room", ["lobby", "user:slow"])
async def test_who_does_not_read_what_a_backend_emits_is_closed(
    nodes: Nodes, visit: Visit, backend: Backend, room: str
) -> None:
    """Nobody could make it catch up: it comes back by itself; the others go on hearing."""
    node = nodes[0]
    alice = await visit(node, "alice")
    async with aiohttp.ClientSession() as http:
        slow = RawClient(http)
        slow.foreign = EVENTS
        await slow.connect(node.url, node.token("slow"))
        await slow.ready()
        count = len(node.output)
        await backend.call("enter_room", sid(alice), "/chat", "lobby")
        await backend.call("enter_room", slow.of("@connect")[0]["sid"], "/chat", "lobby")
        slow.reading.clear()
        for _ in range(60):  # 30 MB: more than kernels hold
            await backend.call("emit", "weather", "x" * 500_000, namespace="/chat", room=room)
        await node.prints(b"disconnected", b"user_id=slow", after=count)
        await fence(backend, alice)
        assert len(alice.of("weather")) == (60 if room == "lobby" else 0)
        slow.reading.set()
        await slow.close()


async def test_a_node_publishes_nothing_of_its_own(
    nodes: Nodes, visit: Visit, backend: Backend, redis: RedisServer
) -> None:
    """What is said in a room is not on the channel of the managers."""
    alice = await visit(nodes[0], "alice")
    client: Any
    with redis.client() as client, client.pubsub() as channel:
        channel.subscribe("socketio")
        assert channel.get_message(timeout=10)["type"] == "subscribe"
        room_id = (await alice.call("create_room", name="Loud", type="public"))["room"]["id"]
        for n in range(3):
            await alice.say(room_id, str(n))
        await alice.call("typing", room_id=room_id, typing=True)
        await fence(backend, alice)
        assert '"fence"' in channel.get_message(timeout=10)["data"]
