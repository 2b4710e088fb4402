"""Which nodes may live in one Redis."""

import contextlib
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from parley.storage.errors import RedisInUse
from parley.storage.redis.database import RedisDatabase
from parley.storage.redis.nodes import RedisNodes
from tests import redis_server
from tests.redis_databases import REDIS, empty
from tests.servers import ServerProcess

pytestmark = pytest.mark.redis

Parley = Callable[..., subprocess.CompletedProcess[str]]
LEASE_S = 0.5


@pytest.fixture(params=REDIS)
async def redis(request: pytest.FixtureRequest) -> AsyncIterator[RedisDatabase]:
    async with empty(request.param) as database:
        yield database


async def test_nodes_of_one_store_know_one_another(redis: RedisDatabase) -> None:
    one, two = RedisNodes(redis), RedisNodes(redis)
    await one.join("one", store_id="store", place=None)
    await two.join("two", store_id="store", place=None)
    assert (list(await one.others()), list(await two.others())) == (["two"], ["one"])
    await two.leave()
    assert list(await one.others()) == []


async def test_a_node_of_another_store_does_not_join(redis: RedisDatabase) -> None:
    """As long as one lives; then the Redis is free for it."""
    one, other = RedisNodes(redis, lease_s=LEASE_S), RedisNodes(redis, lease_s=LEASE_S)
    await one.join("one", store_id="store", place=None)
    with pytest.raises(RedisInUse, match="theirs is store, this one is other"):
        await other.join("two", store_id="other", place=None)
    while True:
        with contextlib.suppress(RedisInUse):
            await other.join("two", store_id="other", place=None)
            break
    with pytest.raises(RedisInUse):
        await one.renew()


async def test_a_copy_of_a_store_of_one_node_does_not_join_while_that_lives(
    redis: RedisDatabase,
) -> None:
    """One that does not renew is dead; the same place again is its successor."""
    one, copy = RedisNodes(redis, lease_s=LEASE_S), RedisNodes(redis, lease_s=LEASE_S)
    await one.join("one", store_id="store", place="here")
    await copy.join("two", store_id="store", place="there")
    again = RedisNodes(redis, lease_s=LEASE_S)
    await again.join("three", store_id="store", place="there")
    with pytest.raises(RedisInUse, match="at there"):
        await one.renew()


async def test_a_second_database_is_refused_in_one_line(python: Parley, tmp_path: Path) -> None:
    """The node that lives goes on; its successor after ``kill -9`` starts at once."""
    async with empty("redis"):
        env = {"REDIS_URL": redis_server.url()}
        first = ServerProcess(tmp_path / "first", env=env)
        await first.start()
        done = python("-m", "parley.server", "serve", "--port", "0", **env)
        assert (done.returncode, done.stdout) == (1, "")
        [line] = [each for each in done.stderr.splitlines() if each.startswith("parley: ")]
        assert line.startswith("parley: REDIS_URL: nodes with another database live in this Redis")
        assert "Traceback" not in done.stderr
        await first.kill()
        await first.start()
        shutil.rmtree(tmp_path / "data")
        shutil.copytree(
            tmp_path / "first", tmp_path / "data", ignore=shutil.ignore_patterns("lock")
        )
        done = python("-m", "parley.server", "serve", "--port", "0", **env)
        assert done.returncode == 1
        assert "another node with a copy of this database" in done.stderr
        assert await first.stop() == 0
