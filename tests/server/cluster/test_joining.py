"""Which nodes may live in one Redis."""

import contextlib
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from parley.server.app import running
from parley.server.cluster import joining
from parley.server.cluster.joining import joined
from parley.server.settings import Settings
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
    await one.join("one", store_id="store", fingerprint="key", place=None)
    await two.join("two", store_id="store", fingerprint="key", place=None)
    assert (list(await one.others()), list(await two.others())) == (["two"], ["one"])
    await two.leave()
    assert list(await one.others()) == []


@pytest.mark.parametrize(
    ("its", "why"),
    [
        ({"store_id": "other"}, "theirs is store, this one is other"),
        ({"fingerprint": "other"}, "fingerprint is key, that of this one other"),
    ],
    ids=["store", "key"],
)
async def test_a_node_of_another_store_or_key_does_not_join(
    redis: RedisDatabase, its: dict[str, str], why: str
) -> None:
    """As long as one lives; then the Redis is free for it, and for others like it."""
    ours = {"store_id": "store", "fingerprint": "key"}
    one, other = RedisNodes(redis, lease_s=LEASE_S), RedisNodes(redis, lease_s=LEASE_S)
    await one.join("one", **ours, place=None)
    with pytest.raises(RedisInUse, match=why):
        await other.join("two", **(ours | its), place=None)
    while True:
        with contextlib.suppress(RedisInUse):
            await other.join("two", **(ours | its), place=None)
            break
    with pytest.raises(RedisInUse):
        await one.renew()


async def test_a_node_that_is_alone_may_come_back_with_another_key(redis: RedisDatabase) -> None:
    """At once, also after ``kill -9``."""
    one, again = RedisNodes(redis), RedisNodes(redis)
    await one.join("one", store_id="store", fingerprint="key", place="here")
    await again.join("two", store_id="store", fingerprint="other", place="here")
    await again.renew()


async def test_a_copy_of_a_store_of_one_node_does_not_join_while_that_lives(
    redis: RedisDatabase,
) -> None:
    """One that does not renew is dead; the same place again is its successor."""
    one, copy = RedisNodes(redis, lease_s=LEASE_S), RedisNodes(redis, lease_s=LEASE_S)
    await one.join("one", store_id="store", fingerprint="key", place="here")
    await copy.join("two", store_id="store", fingerprint="key", place="there")
    again = RedisNodes(redis, lease_s=LEASE_S)
    await again.join("three", store_id="store", fingerprint="key", place="there")
    with pytest.raises(RedisInUse, match="at there"):
        await one.renew()


async def test_two_living_nodes_of_one_name_are_complained_of_once(
    redis: RedisDatabase, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """By each of them, however often they renew; nodes of other names are none of it."""
    monkeypatch.setattr(joining, "RENEWAL_S", 0.02)
    ids = ("n1-00000001", "n1-00000002", "n11-00000003")
    registries = [RedisNodes(redis) for _ in ids]
    async with contextlib.AsyncExitStack() as stack:
        for id, registry in zip(ids, registries, strict=True):
            await stack.enter_async_context(
                joined(registry, id, store_id="store", fingerprint="key", place=None)
            )
        while len(_complaints(caplog)) < 2:
            await registries[0].others()
        await _renewed(registries[2], ids[0], times=3)
        await _renewed(registries[2], ids[1], times=3)
    first, second = sorted(_complaints(caplog))
    assert f"the name n1, {ids[0]} and this one, {ids[1]}:" in first
    assert f"the name n1, {ids[1]} and this one, {ids[0]}:" in second


async def test_a_forerunner_of_the_same_name_is_not_complained_of(
    redis: RedisDatabase, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It was killed: it is known until its lease ends, and renews no more."""
    monkeypatch.setattr(joining, "RENEWAL_S", 0.02)
    killed, own, other = RedisNodes(redis), RedisNodes(redis), RedisNodes(redis)
    await killed.join("n1-00000001", store_id="store", fingerprint="key", place=None)
    async with joined(own, "n1-00000002", store_id="store", fingerprint="key", place=None):
        await _renewed(other, "n1-00000002", times=3)
        assert "n1-00000001" in await other.others()
    assert _complaints(caplog) == []


async def _renewed(registry: RedisNodes, server_id: str, *, times: int) -> None:
    """Wait until another node has renewed so often."""
    seen = (await registry.others())[server_id]
    while times:
        now = (await registry.others())[server_id]
        times -= now > seen
        seen = now


def _complaints(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]


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


@pytest.mark.mongo
async def test_a_server_with_another_cluster_key_does_not_start(
    cluster_settings: Settings,
) -> None:
    other = replace(cluster_settings, cluster_key="another secret of enough letters")
    async with empty("redis"), running(cluster_settings), running(cluster_settings):
        with pytest.raises(RedisInUse, match="PARLEY_CLUSTER_KEY") as refused:
            async with running(other):
                pass
    assert "another secret" not in str(refused.value)
