"""A blinking network costs nothing, whichever node a client comes back to (promise 23)."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from bench.resilience.crowd import Plan
from bench.resilience.houses import Rooms
from tests.faults.cluster.nodes import Cluster
from tests.faults.test_jitter import BLINKING, costs_nothing

pytestmark = [
    pytest.mark.mongo,
    pytest.mark.redis,
    pytest.mark.node,
    pytest.mark.slow,
    pytest.mark.timeout(180),
]


@dataclass(frozen=True, slots=True)
class ClusterHouse:
    """Nodes that run already; the crowd's networks lead from one to the next."""

    cluster: Cluster
    name: str = "Parley, three nodes"

    @contextmanager
    def serving(self, folder: Path) -> Generator[int]:
        """See `House`."""
        yield self.cluster.nodes[0].pid

    async def plan(self, clients: int, *, room_size: int) -> Plan:
        """See `House`; people of each node speak."""
        nodes = self.cluster.nodes
        rooms = Rooms([node.port for node in nodes], nodes[0].token)
        return await rooms.plan(clients, room_size=room_size)


async def test_who_comes_back_by_another_node_each_time_misses_nothing(cluster: Cluster) -> None:
    """Messages of three nodes, while all are cut off: everybody has them once, in one order."""
    await costs_nothing(ClusterHouse(cluster), BLINKING)
