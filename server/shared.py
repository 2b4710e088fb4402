"""What nodes tell one another, and who is here: in this process, or in Redis."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from parley.server.settings import Settings
from parley.storage.expiring import Bus, ConnectionRegistry, NodeRegistry, PresenceStore
from parley.storage.memory.bus import MemoryBus
from parley.storage.memory.connections import MemoryConnectionRegistry
from parley.storage.memory.nodes import OnlyNode
from parley.storage.memory.presence import MemoryPresenceStore
from parley.storage.redis.bus import RedisBus
from parley.storage.redis.connections import RedisConnectionRegistry
from parley.storage.redis.database import RedisDatabase
from parley.storage.redis.nodes import RedisNodes
from parley.storage.redis.presence import RedisPresenceStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What all nodes have in common and nobody misses when it is gone."""

    bus: Bus
    nodes: NodeRegistry
    connections: ConnectionRegistry
    presence: PresenceStore


@contextlib.asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Shared]:
    """Connect to Redis where one is named; one that is away ends no start."""
    if settings.redis_url is None:
        yield Shared(
            bus=MemoryBus(),
            nodes=OnlyNode(),
            connections=MemoryConnectionRegistry(),
            presence=MemoryPresenceStore(),
        )
        return
    async with RedisDatabase.open(settings.redis_url) as redis, RedisBus.open(redis) as bus:
        yield Shared(
            bus=bus,
            nodes=RedisNodes(redis),
            connections=RedisConnectionRegistry(redis),
            presence=RedisPresenceStore(redis),
        )
