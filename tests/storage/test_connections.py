"""`ConnectionRegistry`."""

from dataclasses import dataclass, field

import pytest

from parley.storage.expiring import ConnectionRegistry
from parley.storage.memory.connections import MemoryConnectionRegistry
from parley.storage.models import Connection, Timestamp, UserId
from tests.storage.drafts import ANN, BOB


@dataclass
class Leases:
    """A registry with leases of ten seconds on a clock that the test moves."""

    seconds: float = 0.0
    registry: ConnectionRegistry = field(init=False)

    def __post_init__(self) -> None:
        self.registry = MemoryConnectionRegistry(lease=10.0, monotonic=lambda: self.seconds)


@pytest.fixture(params=["memory"])
def leases(request: pytest.FixtureRequest) -> Leases:
    assert request.param == "memory"
    return Leases()


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
