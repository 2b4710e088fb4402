"""Garbage on the channel, a user that may only publish, and a Redis that goes away."""

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from redis.exceptions import NoPermissionError

from tests.e2e.backends.backend import Backend, Nodes, Visit, both_managers, fence
from tests.redis_server import RedisServer
from tests.server.cluster.garbage import GARBAGE
from tests.servers import ServerProcess

OPERATIONS = Path(__file__).parents[3] / "docs" / "operations.md"

pytestmark = [pytest.mark.mongo, pytest.mark.redis, pytest.mark.asyncio(loop_scope="module")]


async def test_garbage_harms_nobody(
    nodes: Nodes, visit: Visit, backend: Backend, redis: RedisServer
) -> None:
    """All kinds of it, and what comes behind is heard; the log has few and short lines."""
    alice = await visit(nodes[0], "alice")
    count = len(nodes[0].output)
    client: Any
    with redis.client() as client:
        for garbage in GARBAGE.values():
            client.publish("socketio", garbage)
    await fence(backend, alice)
    await nodes[0].prints(b"of Redis's messages", after=count)
    said = [line for line in nodes[0].output[count:] if b"of Redis's messages" in line]
    assert len(said) <= 10  # one a second, and it may have taken some
    assert all(len(line) < 300 for line in said)


@both_managers
async def test_a_backend_may_publish_and_nothing_else(
    tmp_path: Path, visit: Visit, manager: str
) -> None:
    """With the line of docs/operations.md, on a Redis that lets nobody else in."""
    [line] = re.findall(r"^ACL (SETUSER backend .+)$", OPERATIONS.read_text(), re.MULTILINE)
    [password] = re.findall(r">(\S+)", line)
    server = RedisServer()
    try:
        redis: Any
        with server.client() as redis:
            redis.execute_command("ACL", *line.split())
            rights = "reset on >secret ~* &socketio &parley:* +@all -@admin"
            redis.execute_command("ACL", "SETUSER", "node", *rights.split())
            redis.execute_command("ACL", "SETUSER", "default", "off")
        url = f"redis://{{}}@127.0.0.1:{server.port}/0"
        env = {"REDIS_URL": url.format("node:secret")}
        node = await ServerProcess(tmp_path / "data", env).start()
        alice = await visit(node, "alice")
        async with Backend.running(manager, url.format(f"backend:{password}")) as backend:
            await fence(backend, alice)
        with Redis(port=server.port, username="backend", password=password) as redis:
            for command in (
                "GET key",
                "PUBLISH parley:bus:x y",
                "CONFIG GET *",
                "SUBSCRIBE socketio",
            ):
                with pytest.raises(NoPermissionError):
                    redis.execute_command(*command.split())
        assert await node.stop() == 0
    finally:
        server.close()


async def test_local_chat_goes_on_without_redis(tmp_path: Path, visit: Visit) -> None:
    """It is killed and comes back: nobody waits, and backends are heard again."""
    redis = RedisServer()
    node = await ServerProcess(tmp_path / "data", {"REDIS_URL": redis.url}).start()
    try:
        alice = await visit(node, "alice")
        room_id = (await alice.call("create_room", name="Tea", type="public"))["room"]["id"]
        redis.kill()
        await node.prints(b"Redis is away (backends)")
        async with asyncio.timeout(1):
            await alice.say(room_id, "without")
        count = len(node.output)
        redis.start()
        await node.prints(b"Redis is here (backends)", after=count)
        async with Backend.running("RedisManager", redis.url) as backend:
            await fence(backend, alice)
        assert await node.stop() == 0
    finally:
        await node.kill()
        redis.close()


async def test_a_server_starts_without_redis(tmp_path: Path, visit: Visit) -> None:
    """It says so, serves its clients, and hears Redis when that is there."""
    redis = RedisServer()
    redis.kill()
    node = await ServerProcess(tmp_path / "data", {"REDIS_URL": redis.url}).start()
    try:
        await node.prints(b"Redis is away (backends)")
        alice = await visit(node, "alice")
        redis.start()
        await node.prints(b"Redis is here (backends)")
        async with Backend.running("RedisManager", redis.url) as backend:
            await fence(backend, alice)
    finally:
        await node.kill()
        redis.close()
