"""Each durable Protocol in every implementation, by the name of the store."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from parley.storage.base import (
    MemberRepository,
    MessageRepository,
    RoomRepository,
    UserRepository,
)
from parley.storage.expiring import Bus
from parley.storage.memory.bus import MemoryBus
from tests import redis_server
from tests.storage.redis.buses import opened_bus
from tests.storage.stores import NAMES, STORES, Store


@pytest.fixture(params=NAMES)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncGenerator[Store, None]:
    """Return an empty store."""
    async with STORES[request.param](tmp_path / "data") as store:
        yield store


@pytest.fixture
def rooms(store: Store) -> RoomRepository:
    return store.rooms


@pytest.fixture
def members(store: Store) -> MemberRepository:
    return store.members


@pytest.fixture
def messages(store: Store) -> MessageRepository:
    return store.messages


@pytest.fixture
def users(store: Store) -> UserRepository:
    return store.users


@pytest.fixture(
    params=[
        "memory",
        pytest.param("redis, one node", marks=pytest.mark.redis),
        pytest.param("redis", marks=pytest.mark.redis),
        pytest.param("redis cluster", marks=pytest.mark.redis),
    ]
)
async def buses(request: pytest.FixtureRequest) -> AsyncGenerator[tuple[Bus, Bus], None]:
    """Return the bus of a node that listens, and of one that publishes: perhaps the same."""
    if request.param == "memory":
        memory = MemoryBus()
        yield memory, memory
        return
    url = redis_server.cluster().url if "cluster" in request.param else redis_server.url()
    async with opened_bus(url) as listening, opened_bus(url) as publishing:
        yield listening, listening if "one node" in request.param else publishing


@pytest.fixture
def bus(buses: tuple[Bus, Bus]) -> Bus:
    return buses[0]


@pytest.fixture
def sender(buses: tuple[Bus, Bus]) -> Bus:
    return buses[1]
