"""Three nodes over one Redis: one dies, stands still, or is cut from it (promise 13)."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from parley.namespaces.session import Session
from parley.storage.errors import StorageUnavailable
from tests.namespaces.presence.house import GRACE_S, LEASE_S, House, Node
from tests.redis_databases import REDIS, empty, flush

pytestmark = pytest.mark.redis

ORDER = Random(0)
STEP_S = 5.0  # between two renewals


@pytest.fixture(params=REDIS)
async def house(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[House]:
    """Return three nodes: somebody follows Ann, who is on the first, on each of the others."""
    async with (
        empty(request.param) as redis,
        House.open(tmp_path / "data", nodes=3, redis=redis) as house,
    ):
        await house.make_room("ann", "bob", "cid")
        yield house


async def follow_ann(house: House) -> list[tuple[Node, Session]]:
    """Let Bob and Cid follow her on the nodes that she is not on."""
    followers = list[tuple[Node, Session]]()
    for node, name in zip(house.nodes[1:], ("bob", "cid"), strict=True):
        session = await node.connect(name)
        followers.append((node, session))
        await pass_time(house, house.nodes)
        node.ask(session, "subscribe", {"user_ids": ["ann"]})
        await house.answered()
    told(followers)
    return followers


async def pass_time(house: House, alive: list[Node], seconds: float = 0.0) -> None:
    """Let time pass on all nodes, of which only those that live do something."""
    end = house.seconds + seconds
    while True:
        for node in alive:
            with contextlib.suppress(StorageUnavailable):
                await node.presence.devices.step()
        await house.deliver(ORDER)
        if house.seconds >= end:
            return
        house.seconds = min(end, house.seconds + STEP_S)


def told(followers: list[tuple[Node, Session]]) -> list[list[str]]:
    """Take what each of them heard of Ann since the last time."""
    heard = list[list[str]]()
    for node, session in followers:
        frames = [node.wire.read(session.sid) for _ in list(node.wire.outboxes[session.sid])]
        about = [(name, data["content"]) for name, data in frames if "content" in data]
        heard.append([name for name, content in about if content["user_id"] == "ann"])
    return heard


async def test_a_dead_node_loses_its_people_once(house: House) -> None:
    """Each follower hears it once, from whichever node claimed it, within the lease."""
    house.nodes[0].open("ann")
    followers = await follow_ann(house)
    alive = house.nodes[1:]
    await pass_time(house, alive, LEASE_S - 1)
    assert told(followers) == [[], []]
    await pass_time(house, alive, 1)
    assert told(followers) == [["user_offline"], ["user_offline"]]
    await pass_time(house, alive, 3 * LEASE_S)
    assert told(followers) == [[], []]
    alive[0].open("ann")
    await pass_time(house, alive)
    assert told(followers) == [["user_online"], ["user_online"]]


async def test_a_node_that_stood_still_comes_back(house: House) -> None:
    """Longer than its lease: its people were gone, and are here again, once."""
    house.nodes[0].open("ann")
    followers = await follow_ann(house)
    await pass_time(house, house.nodes[1:], LEASE_S + GRACE_S)
    assert told(followers) == [["user_offline"], ["user_offline"]]
    await pass_time(house, house.nodes)
    assert told(followers) == [["user_online"], ["user_online"]]
    await pass_time(house, house.nodes, 2 * LEASE_S)
    assert told(followers) == [[], []]


async def test_a_node_that_is_cut_from_redis_goes_on(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is shown there stays, what it holds ends elsewhere, and comes back with it."""
    one = house.nodes[0]
    one.open("ann")
    here = await one.connect("bob")
    followers = await follow_ann(house)
    one.ask(here, "subscribe", {"user_ids": ["ann", "cid"]})
    await house.answered()
    told([(one, here)])
    devices: Any = one.presence.devices
    reached: Any = vars(one.presence.devices)["_store"]

    class Cut:
        def __getattr__(self, name: str) -> Any:
            raise StorageUnavailable("the network is down")

    monkeypatch.setattr(devices, "_store", Cut())
    sightings: Any = vars(one.presence.service)["_sightings"]
    monkeypatch.setattr(sightings, "_store", Cut())
    await pass_time(house, house.nodes, LEASE_S)
    assert told(followers) == [["user_offline"], ["user_offline"]]
    assert told([(one, here)]) == [[]]
    monkeypatch.setattr(devices, "_store", reached)
    monkeypatch.setattr(sightings, "_store", reached)
    await pass_time(house, house.nodes, LEASE_S)
    assert told(followers) == [["user_online"], ["user_online"]]


async def test_a_redis_that_lost_everything_makes_nobody_flap(house: House) -> None:
    """Whoever looks before all are put again sees what was so before."""
    house.nodes[0].open("ann")
    followers = await follow_ann(house)
    assert house.redis is not None
    await flush(house.redis)
    alive = house.nodes[1:]
    await pass_time(house, alive)
    for node in alive:
        with pytest.raises(StorageUnavailable):
            await node.presence.audit.once()
    await pass_time(house, house.nodes)
    for node in alive:
        await node.presence.audit.once()
    assert [[name for name in names if name != "status"] for names in told(followers)] == [[], []]


async def test_who_hides_is_hidden_on_all_nodes_at_once(house: House) -> None:
    """No audit is needed: it is one store."""
    ann = await house.nodes[0].connect("ann")
    followers = await follow_ann(house)
    house.nodes[0].ask(ann, "set_status", {"status": "online", "invisible": True})
    await house.answered()
    await house.deliver(ORDER)
    assert told(followers) == [["user_offline"], ["user_offline"]]
