"""What the registry in Redis adds: another node may be faster, and every key ends."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from parley.storage.redis import connections as redis_connections
from parley.storage.redis import scripts
from parley.storage.redis.connections import RedisConnectionRegistry
from parley.storage.redis.database import RedisDatabase
from tests.redis_databases import REDIS, empty
from tests.storage.drafts import ANN
from tests.storage.test_connections import connection

pytestmark = pytest.mark.redis


@pytest.fixture(params=REDIS)
async def redis(request: pytest.FixtureRequest) -> AsyncIterator[RedisDatabase]:
    async with empty(request.param) as database:
        yield database


async def test_who_connects_elsewhere_at_that_moment_stays_online(
    redis: RedisDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Her last connection here ends; on another node she is back before that is noted."""
    one, other = RedisConnectionRegistry(redis), RedisConnectionRegistry(redis)
    here, there = connection(1), replace(connection(2), server_id="node-2")
    await one.register(here)
    found = scripts.answers

    async def meanwhile(pipeline: object) -> list[object]:
        monkeypatch.undo()
        what_was_so = await found(pipeline)
        await other.register(there)
        return what_was_so

    monkeypatch.setattr(redis_connections, "answers", meanwhile)
    await one.unregister(here)
    assert set(await one.online()) == {ANN}
    assert list(await one.of_user(ANN)) == [there]


async def test_every_key_ends(redis: RedisDatabase) -> None:
    """A node that dies leaves nothing for ever."""
    await RedisConnectionRegistry(redis, lease=60.0).register(connection(1))
    client: Any = redis.commands
    keys: list[bytes] = [key async for key in client.scan_iter("*")]
    assert sorted(keys) == [b"connections:node-1:ann", b"online_users", b"user_connections:ann"]
    for key in keys:
        assert 0 < await client.pttl(key) <= 60_000
