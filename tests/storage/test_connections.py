"""`ConnectionRegistry`."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace

import pytest

from parley.storage.expiring import ConnectionRegistry
from parley.storage.memory.connections import MemoryConnectionRegistry
from parley.storage.models import Timestamp, UserId
from parley.storage.presence import Connection
from parley.storage.redis.connections import RedisConnectionRegistry
from tests.redis_databases import REDIS, empty
from tests.storage.drafts import ANN, BOB, EVE


@dataclass
class Leases:
    """A registry with leases of ten seconds on a clock that the test moves."""

    seconds: float = 0.0
    registry: ConnectionRegistry = field(init=False)

    def __post_init__(self) -> None:
        self.registry = MemoryConnectionRegistry(lease=10.0, monotonic=lambda: self.seconds)

    def microseconds(self) -> int:
        return round(self.seconds * 1_000_000)


@pytest.fixture(params=["memory", *REDIS])
async def leases(request: pytest.FixtureRequest) -> AsyncIterator[Leases]:
    leases = Leases()
    if request.param == "memory":
        yield leases
        return
    async with empty(request.param) as database:
        now = leases.microseconds
        leases.registry = RedisConnectionRegistry(database, lease=10.0, now=now)
        yield leases


def connection(number: int, user_id: UserId = ANN) -> Connection:
    return Connection(
        id=f"{number:016x}",
        user_id=user_id,
        server_id="node-1",
        connected_at=Timestamp(number),
    )


async def test_connections_of_a_user_are_oldest_first(leases: Leases) -> None:
    """Each live socket of the user is listed once."""
    registry, (one, two, bobs) = leases.registry, [connection(1), connection(2), connection(3, BOB)]
    for each in (two, bobs, one, two):
        await registry.register(each)
    assert list(await registry.of_user(ANN)) == [one, two]
    assert set(await registry.online()) == {ANN, BOB}


async def test_the_last_connection_takes_its_user_offline(leases: Leases) -> None:
    """A user is online while one of her sockets is."""
    registry = leases.registry
    await registry.register(connection(1))
    await registry.register(connection(2))
    await registry.unregister(connection(1))
    assert set(await registry.online()) == {ANN}
    await registry.unregister(connection(2))
    await registry.unregister(connection(2))
    assert set(await registry.online()) == set()
    assert list(await registry.of_user(ANN)) == []


async def test_an_entry_that_is_not_renewed_expires(leases: Leases) -> None:
    """A lease ends after its time, counted from the last renewal."""
    registry, one, two = leases.registry, connection(1), connection(2, BOB)
    await registry.register(one)
    await registry.register(two)
    leases.seconds = 6.0
    await registry.register(one)
    leases.seconds = 12.0
    assert list(await registry.of_user(BOB)) == []
    assert set(await registry.online()) == {ANN}
    leases.seconds = 16.0
    assert list(await registry.of_user(ANN)) == []


async def test_users_are_found_on_all_nodes(leases: Leases) -> None:
    """Each connection where it is; one node's end is not the other's."""
    registry, here = leases.registry, connection(1)
    there = replace(connection(2), server_id="node-2")
    await registry.renew([there, here, connection(3, BOB)])
    found = await registry.of_users([ANN, BOB, EVE])
    assert {user_id: list(its) for user_id, its in found.items()} == {
        ANN: [here, there],
        BOB: [connection(3, BOB)],
        EVE: [],
    }
    await registry.unregister(here)
    assert list(await registry.of_user(ANN)) == [there]
    assert set(await registry.online()) == {ANN, BOB}
    await registry.unregister(there)
    assert set(await registry.online()) == {BOB}


async def test_what_a_connection_hears_may_change(leases: Leases) -> None:
    """It is still one connection."""
    registry = leases.registry
    for hears in (False, True, False, True):
        await registry.register(replace(connection(1), hears_chat=hears))
        assert [each.hears_chat for each in await registry.of_user(ANN)] == [hears]
    await registry.unregister(connection(1))
    assert list(await registry.of_user(ANN)) == []


async def test_many_are_renewed_at_once(leases: Leases) -> None:
    """More than go to a server in one go; all of them live on."""
    registry = leases.registry
    many = [connection(number, UserId(f"user-{number}")) for number in range(1_200)]
    await registry.renew(many)
    leases.seconds = 9.0
    await registry.renew(many[:1_100])
    leases.seconds = 11.0
    assert set(await registry.online()) == {each.user_id for each in many[:1_100]}
    second = replace(many[0], id="f" * 16)
    await registry.register(second)
    await registry.unregister_all([*many[1:], many[0], second])
    assert set(await registry.online()) == set()
    assert list(await registry.of_user(second.user_id)) == []
