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


@pytest.fixture(params=["memory"])
def bus(request: pytest.FixtureRequest) -> Bus:
    assert request.param == "memory"
    return MemoryBus()
