"""python-socketio's pub/sub managers, as `AsyncRedisManager` is one, in front of our own.

The channel here is in memory; what goes over it is text, as over Redis.
"""

# pyright: standard, reportIncompatibleMethodOverride=false
# (python-socketio ships without types)

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from socketio.async_pubsub_manager import AsyncPubSubManager

from parley.server.engine.manager import LocalManager
from parley.server.engine.server import Server
from tests.faults.wire import frame
from tests.server.engine.pipes import Client


class Channel(list["asyncio.Queue[str]"]):
    """Who listens."""

    def publish(self, message: str) -> None:
        """Give a message to all."""
        for heard in self:
            heard.put_nowait(message)

    async def settled(self) -> None:
        """Wait until everybody has handled all that was published."""
        for heard in self:
            await heard.join()


class Outside(AsyncPubSubManager):  # type: ignore[misc]  # socketio is untyped
    """What a backend service uses: the stock manager."""

    def __init__(self, channel: Channel, **options: Any) -> None:
        super().__init__(**options)
        self._channel = channel

    async def _publish(self, data: Any) -> None:
        self._channel.publish(json.dumps(data))


class Cluster(Outside, LocalManager):
    """The manager of a node: ours lies behind the stock one."""

    def __init__(self, channel: Channel) -> None:
        super().__init__(channel)
        self._heard = asyncio.Queue[str]()
        channel.append(self._heard)

    async def _listen(self) -> AsyncIterator[str]:
        while True:
            yield await self._heard.get()
            self._heard.task_done()  # whoever asks for the next has handled this one


class Node:
    """A server on the channel, and a client of it in the room ``tea``."""

    def __init__(self, channel: Channel) -> None:
        self.manager: Any = Cluster(channel)
        self.server = Server(client_manager=self.manager)
        self.client = Client(self.server)  # the first client makes the manager listen
        self.manager.basic_enter_room(self.client.sid, "/", "tea")

    def heard(self) -> list[Any]:
        """Return all that the client has heard."""
        self.server.eio.fanout.flush()
        return self.client.events()

    async def close(self) -> None:
        """Stop listening."""
        self.manager.thread.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.manager.thread


@pytest.fixture
async def channel() -> Channel:
    """Return a channel that nobody listens to."""
    return Channel()


@pytest.fixture
async def nodes(channel: Channel) -> AsyncIterator[tuple[Node, Node]]:
    """Return two nodes of a cluster."""
    nodes = Node(channel), Node(channel)
    yield nodes
    for node in nodes:
        await node.close()


async def test_what_a_backend_emits_reaches_the_clients_of_every_node(
    channel: Channel, nodes: tuple[Node, Node]
) -> None:
    """Rooms, several arguments and bytes are there, and who is to be skipped is."""
    one, two = nodes
    backend = Outside(channel, write_only=True)
    await backend.emit("n", (1, b"\x01"), room="tea")
    await backend.emit("n", 2, room="pub")
    await backend.emit("n", 3, room="tea", skip_sid=one.client.sid)
    await channel.settled()
    placed = ["n", 1, {"_placeholder": True, "num": 0}]
    assert one.heard() == [placed, b"\x01"]
    assert two.heard() == [placed, b"\x01", ["n", 3]]


async def test_what_a_node_emits_reaches_the_others_once(
    channel: Channel, nodes: tuple[Node, Node]
) -> None:
    """Its own clients hear it too, and alone what is not for the channel."""
    one, two = nodes
    await one.server.emit("n", 1, to="tea")
    await one.server.emit("n", 2, to=two.client.sid)
    await one.server.emit("n", 3, to="tea", ignore_queue=True)
    await channel.settled()
    assert one.heard() == [["n", 1], ["n", 3]]
    assert two.heard() == [["n", 1], ["n", 2]]


async def test_a_node_moves_the_clients_of_another(
    channel: Channel, nodes: tuple[Node, Node]
) -> None:
    """They enter rooms and leave them, and are sent away, with their disconnect handler."""
    one, two = nodes
    reasons: list[str] = []
    two.server.on("disconnect", lambda _, reason: reasons.append(reason))
    await one.server.enter_room(two.client.sid, "pub")
    await one.server.leave_room(two.client.sid, "tea")
    await channel.settled()
    assert two.server.rooms(two.client.sid) == [two.client.sid, "pub"]
    await one.server.disconnect(two.client.sid)
    await channel.settled()
    assert two.heard() == ["41"]
    assert reasons == ["server disconnect"]
    assert two.manager.sids("/", None) == []
    assert one.manager.sids("/", None) == [one.client.sid]


async def test_a_connect_handler_moves_its_own_client(
    channel: Channel, nodes: tuple[Node, Node]
) -> None:
    """It is no client of another node, which would be asked to, although it is not let in yet."""
    one, two = nodes
    moved = asyncio.Event()

    async def connect(sid: str, environ: Any, auth: Any) -> None:
        for room in ("pub", "tea"):
            await one.server.enter_room(sid, room, namespace="/chat")
        await one.server.leave_room(sid, "tea", namespace="/chat")
        moved.set()

    one.server.on("connect", connect, namespace="/chat")
    one.client.websocket.data_received(frame(b"40/chat,"))
    await moved.wait()
    await two.server.emit("n", 1, to="pub", namespace="/chat")
    await two.server.emit("n", 2, to="tea", namespace="/chat")
    await channel.settled()
    assert [said for said in one.heard() if said[0] == "n"] == [["n", 1]]


async def test_a_callback_is_answered_across_nodes(
    channel: Channel, nodes: tuple[Node, Node]
) -> None:
    """The client's node sends the answer back to the node that has asked."""
    one, two = nodes
    answers: list[tuple[Any, ...]] = []
    await one.server.emit(
        "ask", "?", to=two.client.sid, callback=lambda *answer: answers.append(answer)
    )
    await channel.settled()
    assert two.heard() == [["ask", "?"]]
    asked = re.search(rb'42(\d+)\["ask"', two.client.pipe.arrived)
    assert asked
    two.client.websocket.data_received(frame(b'43%b["yes",1]' % asked[1]))
    await channel.settled()
    assert answers == [("yes", 1)]
