"""A deploy loses nothing: the server is told to stop while it is written to (promise 21)."""

import asyncio
import contextlib
import random
import signal
import socket
import time
from pathlib import Path

import aiohttp
import pytest

from parley.server.app import running
from parley.server.settings import Settings
from tests.clients import Client, Refused, new_client_id
from tests.faults.room import Room
from tests.mongod import ReplicaSet
from tests.node_client import Node
from tests.raw_client import RawClient
from tests.redis_server import RedisServer
from tests.servers import ServerProcess

pytestmark = pytest.mark.node

GONE_S = 10.0
RESTARTS = 5
AT_ONCE = 500  # of each writer


@pytest.mark.mongod
@pytest.mark.redis
@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_it_is_gone_in_time_though_nothing_answers(tmp_path: Path) -> None:
    """Neither MongoDB, Redis nor the registry; the proxy has all its time, a body never comes."""
    with (
        contextlib.closing(RedisServer()) as redis,
        contextlib.closing(ReplicaSet(1)) as mongodb,
        socket.create_server(("127.0.0.1", 0)) as registry,
    ):
        settings = {
            "REDIS_URL": redis.url,
            "MONGODB_URL": mongodb.url,
            "PARLEY_MONGODB_DATABASE": "stop",
            "PARLEY_CLUSTER_KEY": "a secret of the test, long enough",
            "PARLEY_DISCOVERY_URL": f"consul://127.0.0.1:{registry.getsockname()[1]}",
            "PARLEY_DRAIN_MS": "4000",
        }
        server = await ServerProcess(tmp_path, env=settings).start()
        clients = [Client(namespace) for namespace in ("/chat", "/presence", "/notification")]
        for client in clients:
            await client.connect(server.url, server.token("ann"))
        chat, presence, _ = clients
        await chat.ready()
        room = (await chat.call("create_room", name="Late", type="public"))["room"]
        primary = mongodb.primary()
        redis.signal(signal.SIGSTOP)
        primary.signal(signal.SIGSTOP)
        try:
            content = {"text": "too late", "message_type": "text"}
            said = {"room_id": room["id"], "client_id": new_client_id(), "content": content}
            await chat.emit("chat", said)
            await presence.emit("set_status", {"status": "away"})
            token = server.token("root", roles=["admin"])
            head = (
                "POST /api/v1/notifications HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n"
                f"Content-Type: application/json\r\nAuthorization: Bearer {token}\r\n\r\n"
            )
            _, half = await asyncio.open_connection("127.0.0.1", server.port)
            half.write(head.encode())
            await half.drain()
            began = time.monotonic()
            await server.stop()
            assert time.monotonic() - began < GONE_S
            half.close()
            await half.wait_closed()
        finally:
            redis.signal(signal.SIGCONT)
            primary.signal(signal.SIGCONT)
            for client in clients:
                await client.close()


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_restarts_under_load_lose_nothing(
    room: Room, node: Node, chance: random.Random
) -> None:
    """Each time the process is gone in time, and every event was answered or its socket closed.

    What was refused is not stored; what nobody knows about is sent again and has one effect.
    """
    enough = asyncio.Event()
    writers = await room.stock_writers(node, at_once=20)
    writing = [asyncio.create_task(writer.write(enough.is_set)) for writer in writers]
    for _ in range(RESTARTS):
        await room.progress.reaches(room.progress.acked + chance.randrange(100, 300))
        async with asyncio.timeout(GONE_S):
            assert await room.server.stop() == 0
        acked = room.record.acked
        await room.reader.disconnected.wait()
        await room.server.start()
        await room.reader.connected.wait()
        await room.check_acked(acked)
    enough.set()
    await asyncio.gather(*writing)
    assert all(send.acked for send in room.record.sends)
    await room.check()


async def test_an_event_that_comes_too_late_is_refused(tmp_path: Path) -> None:
    """Its sender is told to come back, and it is not stored."""
    settings = Settings(port=0, data_dir=tmp_path)
    async with running(settings) as server, aiohttp.ClientSession() as http:
        token = server.mint.mint("ann", name=None, ttl_s=60)
        client = await RawClient(http).connect(f"http://127.0.0.1:{server.port}", token)
        room = (await client.call("create_room", name="Late", type="public"))["room"]
        await server.chat.namespace.drain()
        with pytest.raises(Refused) as refused:
            await client.say(room["id"], "too late")
        assert refused.value.code == "draining"
        assert refused.value.error["retryable"]
        feed = server.chat.feeds.running(room["id"])
        assert feed is not None
        assert feed.head == 1
        await client.close()


async def test_what_was_refused_while_stopping_is_not_stored(room: Room, node: Node) -> None:
    """Nobody sends again here: acked is stored, refused is not, each sender's order holds."""
    writers = await room.stock_writers(node, at_once=AT_ONCE)
    for writer in writers:
        writer.say(AT_ONCE)
    sending = [asyncio.create_task(writer.send()) for writer in writers]
    await room.reader.event("chat", lambda data: data["seq"] > 100)
    async with asyncio.timeout(GONE_S):
        assert await room.server.stop() == 0
    await asyncio.gather(*sending)
    await room.reader.disconnected.wait()
    await room.server.start()
    await room.reader.connected.wait()
    await room.check()
