"""What is asked about the sockets of two nodes, and done to them: over MongoDB and Redis."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import orjson
import pytest
from aiohttp import ClientSession
from redis.asyncio import Redis

from parley.namespaces.seal import Seal
from parley.server import shared
from parley.server.app import running
from parley.server.assembly import Node
from parley.server.cluster.calls import ALL, ANSWER_S, NodeCalls
from parley.server.settings import Settings
from parley.storage.memory.bus import MemoryBus
from parley.storage.models import UserId
from parley.storage.redis.connections import RedisConnectionRegistry
from tests import redis_server
from tests.clients import Client
from tests.redis_databases import empty
from tests.server.http.conftest import Caller, calling

pytestmark = [pytest.mark.mongo, pytest.mark.redis]

Connect = Callable[[Node, str], Awaitable[Client]]


@dataclass
class Cluster:
    """Two nodes, and an administrator who asks the first."""

    one: Node
    two: Node
    admin: Caller
    connect: Connect


@pytest.fixture
async def cluster(
    cluster_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Cluster]:
    bus = MemoryBus()
    monkeypatch.setattr(shared, "MemoryBus", lambda: bus)
    clients: list[Client] = []

    async def connect(node: Node, user_id: str) -> Client:
        token = node.mint.mint(user_id, ttl_s=600)
        client = await Client().connect(f"http://127.0.0.1:{node.port}", token)
        clients.append(client)
        await client.ready()
        return client

    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(empty("redis"))
        one = await stack.enter_async_context(running(cluster_settings))
        two = await stack.enter_async_context(running(cluster_settings))
        session = await stack.enter_async_context(ClientSession())
        yield Cluster(one, two, calling(one, session, "root", "admin"), connect)
        for client in clients:
            await client.close()


async def test_who_is_online_is_so_on_every_node(cluster: Cluster) -> None:
    await cluster.connect(cluster.one, "ann")
    bob = await cluster.connect(cluster.two, "bob")
    assert (await cluster.admin.data("GET", "/connections/online"))["items"] == ["ann", "bob"]
    connections = cluster.one.connections
    assert await connections.among([UserId("bob"), UserId("eve")]) == {"bob"}
    assert await connections.hearing([UserId("bob"), UserId("eve")]) == {"bob"}
    await bob.close()
    # The other node tells Redis as soon as it notices.
    while (await cluster.admin.data("GET", "/connections/online"))["items"] != ["ann"]:
        pass


async def test_who_is_live_in_a_room_may_be_anywhere(cluster: Cluster) -> None:
    ann = await cluster.connect(cluster.one, "ann")
    made = await ann.call("create_room", name="Tea", type="public", members=["bob", "eve"])
    path = f"/connections/rooms/{made['room']['id']}"
    assert (await cluster.admin.data("GET", path))["items"] == ["ann"]
    await cluster.connect(cluster.two, "bob")
    assert (await cluster.admin.data("GET", path))["items"] == ["ann", "bob"]


async def test_an_announcement_reaches_every_node(cluster: Cluster) -> None:
    ann = await cluster.connect(cluster.one, "ann")
    bob = await cluster.connect(cluster.two, "bob")
    body = {"content": {"text": "The server restarts at noon"}}
    told = await cluster.admin.data("POST", "/connections/broadcast", json=body)
    assert told == {"sockets": 2}
    for client in (ann, bob):
        heard = await client.event("system", lambda data: data["code"] == "announcement")
        assert heard["content"] == body["content"]


async def test_a_user_is_sent_away_from_every_node(cluster: Cluster) -> None:
    sockets = [await cluster.connect(node, "bob") for node in (cluster.one, cluster.two)]
    ann = await cluster.connect(cluster.two, "ann")
    assert await cluster.admin.data("DELETE", "/connections/users/bob") == {"sockets": 2}
    for socket in sockets:
        await socket.disconnected.wait()
    assert not ann.disconnected.is_set()


async def test_a_node_that_does_not_answer_is_not_waited_for_long(cluster: Cluster) -> None:
    """It is dead, and known until its lease ends: the others answer."""
    await cluster.connect(cluster.one, "ann")
    calls = cluster.two.calls
    for name in ("announce", "disconnect"):
        calls.answers(name, lambda said: asyncio.Event().wait())
    began = time.monotonic()
    body = {"content": {"text": "Hello"}}
    told = await cluster.admin.data("POST", "/connections/broadcast", json=body)
    assert told == {"sockets": 1}
    assert ANSWER_S <= time.monotonic() - began < 3 * ANSWER_S
    # Nobody is told that she is gone who may be there.
    answer = await cluster.admin("DELETE", "/connections/users/bob")
    assert (answer.status, answer.code) == (503, "unavailable")


@pytest.mark.parametrize("seal", [None, Seal(b"o" * 32)])
@pytest.mark.parametrize("to_all", [True, False])
async def test_what_no_node_asks_does_nothing(
    cluster: Cluster, caplog: pytest.LogCaptureFixture, seal: Seal | None, to_all: bool
) -> None:
    """Nor does it fill the log."""
    bob = await cluster.connect(cluster.two, "bob")
    stranger: Any = Redis
    channel = ALL if to_all else f"node:{cluster.two.server_id}"
    asked = {"id": "1", "from": "nobody", "name": "disconnect", "said": {"user_id": "bob"}}
    async with stranger.from_url(redis_server.url()) as redis:
        for said in (b"[" * 99, b"5", b"", orjson.dumps(asked)):
            sealed = said if seal is None else seal.seal(channel.encode(), said)
            await redis.publish(f"parley:bus:{channel}", b"ffffffff " + sealed)
    body = {"content": {"text": "Hello"}}
    assert await cluster.admin.data("POST", "/connections/broadcast", json=body) == {"sockets": 1}
    await bob.event("system", lambda data: data.get("content") == body["content"])
    assert not bob.disconnected.is_set()
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


async def test_what_no_node_answers_is_not_counted(cluster: Cluster) -> None:
    await cluster.connect(cluster.two, "bob")
    asked = vars(cluster.one.calls)["_asked"]
    hear = vars(NodeCalls)["_hear"]
    channel = f"node:{cluster.one.server_id}"

    async def liar(said: Any) -> int:
        """Answer wrong as somebody else, before the true answer."""
        [question] = asked
        forged = orjson.dumps({"id": question, "answer": 5})
        for sealed in (forged, Seal(b"o" * 32).seal(channel.encode(), forged)):
            await hear(cluster.one.calls, channel, sealed)
        return 0

    cluster.two.calls.answers("disconnect", liar)
    assert await cluster.admin.data("DELETE", "/connections/users/eve") == {"sockets": 0}


async def test_one_node_is_asked_alone(cluster: Cluster) -> None:
    async def doubled(said: Any) -> int:
        return int(said["number"]) * 2

    cluster.two.calls.answers("double", doubled)
    ask = cluster.one.calls.ask_one
    assert await ask(cluster.two.server_id, "double", within_s=9, number=4) == 8
    assert await ask(cluster.two.server_id, "what nobody does", within_s=0.1) is None
    assert await ask("nobody-00000000", "double", within_s=0.1, number=4) is None


async def test_without_redis_a_node_answers_for_itself(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who hears the chat here is known; of all others it is rather told twice."""
    await cluster.connect(cluster.one, "ann")
    await cluster.connect(cluster.two, "bob")
    connections = cluster.one.connections
    registry: RedisConnectionRegistry = vars(connections)["_registry"]
    database: Any = vars(registry)["_database"]
    await database.commands.aclose()
    monkeypatch.setattr(database, "commands", _nowhere())
    assert await connections.hearing([UserId("ann"), UserId("bob")]) == {"ann"}


def _nowhere() -> Redis:
    return Redis(port=redis_server.free_port(), socket_timeout=1)
