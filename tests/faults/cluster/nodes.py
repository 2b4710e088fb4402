"""Three nodes of ours, as an operator starts them, on one MongoDB and one Redis."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.redis_server import RedisServer
from tests.servers import ServerProcess

KEY = "a secret that every node of the test has"


class Cluster:
    """Nodes n1, n2 … that a test may stop and kill, one by one."""

    def __init__(
        self,
        folder: Path,
        *,
        redis: RedisServer,
        mongodb: Mapping[str, str],
        size: int = 3,
        **settings: str,
    ) -> None:
        """Take what all nodes are to have for settings."""
        self.redis = redis
        shared = {
            **mongodb,
            "REDIS_URL": redis.url,
            "PARLEY_CLUSTER_KEY": KEY,
            "PARLEY_TRUSTED_PROXIES": "127.0.0.1",
            **settings,
        }
        self.nodes = [
            ServerProcess(folder / f"n{n}", env={**shared, "PARLEY_NODE": f"n{n}"})
            for n in range(1, size + 1)
        ]

    async def start(self) -> "Cluster":
        """Start all, and return when all listen."""
        await asyncio.gather(*(node.start() for node in self.nodes))
        return self

    async def stop(self) -> Sequence[int]:
        """Stop all; return their exit statuses."""
        return await asyncio.gather(*(node.stop() for node in self.nodes))
