"""The manager of a node on a real Redis, in front of clients on pipes."""

# pyright: standard
# (python-socketio ships without types)

import asyncio
import json
import re
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
import socketio

from parley.server.cluster.manager import ClusterManager
from parley.server.engine.server import Server
from tests import redis_server
from tests.faults.wire import frame
from tests.redis_server import RedisServer
from tests.server.cluster.garbage import said
from tests.server.cluster.nodes import WAIT_S, Node, until
from tests.server.engine.pipes import Client

pytestmark = pytest.mark.redis


@pytest.fixture
async def nodes() -> AsyncIterator[tuple[Node, Node]]:
    """Return two nodes that hear Redis."""
    nodes = Node(redis_server.url()), Node(redis_server.url())
    async with AsyncExitStack() as stack:
        for node in nodes:
            await stack.enter_async_context(node.manager.running())
        yield nodes


@pytest.fixture
async def backend() -> AsyncIterator[Any]:
    """Return the manager of a backend."""
    manager = socketio.AsyncRedisManager(redis_server.url(), write_only=True)
    yield manager
    if manager.redis is not None:
        await manager.redis.aclose()


async def test_what_a_node_emits_reaches_the_clients_of_the_others_once(
    nodes: tuple[Node, Node],
) -> None:
    """And nobody twice."""
    one, two = nodes
    await one.server.emit("n", (1, b"\x01"), to="tea")
    await one.server.emit("n", 2, to=two.client.sid)
    await one.server.emit("n", 3, to="tea", ignore_queue=True)
    await one.server.emit("end")
    placed = ["n", 1, {"_placeholder": True, "num": 0}]
    assert await two.hears(["end"]) == [placed, b"\x01", ["n", 2], ["end"]]
    await two.server.emit("end", 2)
    assert await one.hears(["end", 2]) == [placed, b"\x01", ["n", 3], ["end"], ["end", 2]]


async def test_a_node_moves_the_clients_of_another(nodes: tuple[Node, Node]) -> None:
    """They enter rooms and leave them, and are sent away."""
    one, two = nodes
    await one.server.enter_room(two.client.sid, "pub")
    await one.server.leave_room(two.client.sid, "tea")
    await one.server.emit("n", 1, room="pub")
    await two.hears(["n", 1])
    assert two.server.rooms(two.client.sid) == [two.client.sid, "pub"]
    await one.server.disconnect(two.client.sid)
    await two.hears("41")
    assert two.manager.sids("/", None) == []


async def test_a_slow_disconnect_handler_holds_up_nobody(
    nodes: tuple[Node, Node], backend: Any
) -> None:
    """The next message is heard while it runs (13)."""
    node, _ = nodes
    running, go_on = asyncio.Event(), asyncio.Event()

    async def disconnect(_sid: str, _reason: str) -> None:
        running.set()
        await go_on.wait()

    node.server.on("disconnect", disconnect)
    other = Client(node.server)
    await backend.can_disconnect(other.sid, "/")
    await asyncio.wait_for(running.wait(), WAIT_S)
    await backend.emit("n", 1, room="tea")
    await node.hears(["n", 1])
    go_on.set()
    await node.server.eio.crew.settled()
    assert node.manager.sids("/", None) == [node.client.sid]


async def test_a_callback_for_a_client_of_another_node_leaves_nothing_behind(
    nodes: tuple[Node, Node],
) -> None:
    """It is asked of clients here only (9)."""
    one, two = nodes
    answers: list[Any] = []
    await one.server.emit("ask", to=two.client.sid, callback=answers.append)
    assert one.manager.callbacks == {}
    await one.server.emit("ask", to=one.client.sid, callback=answers.append)
    one.heard()
    [asked] = re.findall(rb'42(\d+)\["ask"', one.client.pipe.arrived)
    one.client.websocket.data_received(frame(b'43%b["yes"]' % asked))
    assert answers == ["yes"]
    await one.server.emit("end")
    assert await two.hears(["end"]) == [["end"]]


async def test_a_callback_that_somebody_asks_for_is_not_set_up(nodes: tuple[Node, Node]) -> None:
    """The event arrives, and its client is not asked for an answer; a forged answer is dropped."""
    node, _ = nodes
    message = said(event="ask", room="tea", namespace="/", callback=["x", "/", 1])
    answer = {"method": "callback", "sid": node.client.sid, "id": 1, "args": []}
    with redis_server.single().client() as redis:
        redis.publish("socketio", message)
        redis.publish("socketio", json.dumps({**answer, "host_id": node.manager.host_id}))
    await node.hears(["ask", 1])
    assert b'42["ask",1]' in node.client.pipe.arrived
    assert node.manager.callbacks == {}


async def test_nothing_is_left_of_a_node_that_stops() -> None:
    """No task, and no connection to Redis."""
    with redis_server.single().client() as redis:
        clients, tasks = len(redis.client_list()), asyncio.all_tasks()
        manager: Any = ClusterManager(redis_server.url())
        node = Server(client_manager=manager)
        async with manager.running():
            assert not manager.deaf
            Client(node)  # with whom stock would begin to listen once more
            heard = redis.pubsub_numsub("socketio")
            assert asyncio.all_tasks() - tasks
        assert manager.deaf
        assert heard[0][1] == 1
        assert asyncio.all_tasks() == tasks
        await until(lambda: len(redis.client_list()) <= clients)


async def test_a_redis_that_stands_still_holds_up_nobody() -> None:
    """Emitting waits for nothing (8), and what comes too late to be true does not come."""
    redis = RedisServer()
    node, other = Node(redis.url), Node(redis.url)
    try:
        async with node.manager.running(), other.manager.running():
            redis.signal(signal.SIGSTOP)
            await _emit_many(node)
            await until(lambda: node.manager.deaf)
            await _emit_many(node)
            await node.server.emit("late")
            redis.signal(signal.SIGCONT)
            await until(lambda: not (node.manager.deaf or other.manager.deaf))
            await node.server.emit("end")
            assert ["late"] not in await other.hears(["end"])
            assert ["late"] in node.heard()
    finally:
        redis.close()


async def _emit_many(node: Node) -> None:
    async with asyncio.timeout(1):
        for n in range(100):
            await node.server.emit("n", n)
        await node.server.disconnect("of another node")
