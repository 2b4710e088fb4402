"""MongoDB holds elections while three nodes write (promises 2, 3 and 12)."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.faults.cluster.load import Load
from tests.faults.cluster.nodes import Cluster
from tests.faults.measures import tell
from tests.faults.room import Room
from tests.faults.test_mongodb import ELECTION_MS, step_down
from tests.mongod import ReplicaSet
from tests.redis_server import RedisServer

pytestmark = [
    pytest.mark.mongod,
    pytest.mark.redis,
    pytest.mark.slow,
    pytest.mark.timeout(240),
]


@pytest.fixture(scope="module")
def replica_set() -> Iterator[ReplicaSet]:
    replica_set = ReplicaSet(3, election_ms=ELECTION_MS)
    yield replica_set
    replica_set.close()


@pytest.fixture
async def cluster(
    tmp_path: Path, redis: RedisServer, replica_set: ReplicaSet
) -> AsyncIterator[Cluster]:
    cluster = Cluster(tmp_path, redis=redis, mongodb={"MONGODB_URL": replica_set.url})
    await cluster.start()
    yield cluster
    await cluster.stop()


async def test_elections_take_nothing_back(
    room: Room, cluster: Cluster, replica_set: ReplicaSet
) -> None:
    """Two primaries die by ``kill -9``, two more step down; all nodes write into one room."""
    load = Load(room, cluster)
    await load.begin()
    for _ in range(2):
        primary = await asyncio.to_thread(replica_set.primary)
        primary.kill()
        tell(f"a primary killed: writing went on after {await load.goes_on():.1f} s")
        primary.start()
        await asyncio.to_thread(replica_set.whole)
    for _ in range(2):
        primary = await asyncio.to_thread(replica_set.primary)
        await asyncio.to_thread(step_down, primary)
        tell(f"a primary stepped down: writing went on after {await load.goes_on():.1f} s")
        await asyncio.to_thread(replica_set.whole)
    await load.end("two primaries killed, two stepped down")
