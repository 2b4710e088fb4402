"""A node that hears nothing of others is not ready; whom it has, it serves."""

import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from tests.clients import Client
from tests.redis_server import RedisServer
from tests.servers import ServerProcess

pytestmark = pytest.mark.redis


@pytest.fixture
async def redis() -> AsyncIterator[RedisServer]:
    server = RedisServer()
    yield server
    server.close()


async def test_a_deaf_node_is_not_ready_and_serves(redis: RedisServer, tmp_path: Path) -> None:
    server = ServerProcess(tmp_path / "data", env={"PARLEY_REDIS_URL": redis.url})
    await server.start()
    async with aiohttp.ClientSession() as session:

        async def ready(status: int) -> dict[str, str]:
            while True:
                async with session.get(f"{server.url}/readyz") as answer:
                    if answer.status == status:
                        checks: dict[str, str] = (await answer.json())["checks"]
                        return checks

        assert (await ready(200))["bus"] == "ok"
        client = await Client().connect(server.url, server.token("alice"))
        await client.ready()
        redis.kill()
        assert (await ready(503))["bus"] == "unavailable"
        room = await client.call("create_room", name="Tea", type="public")
        began = time.monotonic()
        assert (await client.say(room["room"]["id"], "hot"))["seq"]
        assert time.monotonic() - began < 1
        redis.start()
        assert (await ready(200))["bus"] == "ok"
        await client.close()
    await server.stop()
