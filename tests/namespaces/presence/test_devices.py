"""What becomes of devices where a node stands still, or storage does not answer."""

import contextlib
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from parley.namespaces.session import Session
from parley.storage.errors import StorageUnavailable
from tests.namespaces.presence.house import GRACE_S, LEASE_S, House, Node

ORDER = Random(0)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with House.open(tmp_path / "data") as house:
        await house.make_room("ann", "bob")
        yield house


async def follow(house: House, node: Node, who: str) -> Session:
    """Connect Bob and let him follow somebody."""
    bob = await node.connect("bob")
    await settle(house)
    node.ask(bob, "subscribe", {"user_ids": [who]})
    await house.answered()
    heard(node, bob)
    return bob


async def settle(house: House) -> None:
    await house.step()
    await house.deliver(ORDER)


def heard(node: Node, session: Session) -> list[tuple[str, str]]:
    """Take what a socket heard of others since the last time: name and status."""
    frames = [node.wire.read(session.sid) for _ in list(node.wire.outboxes[session.sid])]
    told = [(name, data["content"]) for name, data in frames if "content" in data]
    return [(n, str(c["status"])) for n, c in told if c["user_id"] != session.user_id]


async def test_a_node_that_stands_still_loses_its_people_once(house: House) -> None:
    """Its lease is over: others see them go, and come back when it goes on (promise 13)."""
    one, two = house.nodes
    one.open("ann")
    bob = await follow(house, two, "ann")
    for _ in range(3):
        house.seconds += LEASE_S / 2
        await two.presence.devices.step()
        await house.deliver(ORDER)
    assert heard(two, bob) == [("user_offline", "offline")]
    await settle(house)
    assert heard(two, bob) == [("user_online", "online")]
    house.seconds += LEASE_S / 2
    await settle(house)
    assert heard(two, bob) == []


async def test_a_pause_that_is_shorter_than_the_lease_is_not_heard_of(house: House) -> None:
    one, two = house.nodes
    ann = one.open("ann")
    bob = await follow(house, two, "ann")
    for _ in range(4):
        house.seconds += LEASE_S - 1
        await settle(house)
    assert heard(two, bob) == []
    await one.close(ann)
    await settle(house)
    house.seconds += GRACE_S
    await settle(house)
    assert heard(two, bob) == [("user_offline", "offline")]


class Failing:
    """A store that does not answer some calls."""

    def __init__(self, store: Any) -> None:
        self.fails = ""
        self._store = store

    def __getattr__(self, name: str) -> Any:
        if name == self.fails:
            raise StorageUnavailable(f"no {name}")
        return getattr(self._store, name)


@pytest.mark.parametrize("call", ["put", "leave", "claim", "renew"])
async def test_what_storage_did_not_take_is_taken_later(
    house: House, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is here for ever, and nobody is forgotten, whichever call has failed."""
    one, two = house.nodes
    bob = await follow(house, two, "ann")
    devices: Any = one.presence.devices
    failing = Failing(vars(devices)["_store"])  # only this node's calls
    monkeypatch.setattr(devices, "_store", failing)
    ann, spare = one.open("ann"), one.open("ann")
    await settle(house)
    assert heard(two, bob) == [("user_online", "online")]
    # One goes and one comes while a call fails, again and again.
    for _ in range(3):
        failing.fails = call
        house.seconds += LEASE_S / 3
        await one.close(spare)
        spare = one.open("ann")
        with pytest.raises(StorageUnavailable):
            await one.presence.devices.step()
        failing.fails = ""
        await settle(house)
        [presence] = (await failing.get(["ann"])).values()
        assert len(presence.devices) == 2
    await one.close(ann)
    await one.close(spare)
    failing.fails = call
    house.seconds += LEASE_S / 3
    with contextlib.suppress(StorageUnavailable):  # of `put` there is nothing left to fail
        await one.presence.devices.step()
    failing.fails = ""
    await settle(house)
    house.seconds += GRACE_S
    await settle(house)
    told = [name for name, status in heard(two, bob) if status == "offline"]
    assert told == ["user_offline"]


async def test_what_waited_for_its_turn_when_she_left_leaves_nothing(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    """Every event is answered, to nobody, and no part keeps the socket."""
    one, _ = house.nodes
    room_id = await house.make_room("ann", "bob")
    ann = await one.connect("ann")
    requests: dict[str, dict[str, Any]] = {
        "subscribe": {"user_ids": ["bob"]},
        "room": {"room_id": room_id},
        "unsubscribe": {"user_ids": ["bob"], "room_id": room_id},
        "set_status": {"status": "away"},
    }
    for event, payload in requests.items():
        one.ask(ann, event, payload)
    await one.close(ann)
    for event, payload in requests.items():
        one.ask(ann, event, payload)
    await house.finished(ann.mailbox.idle())
    house.seconds += GRACE_S
    await settle(house)
    await house.audit()
    assert one.left_over() == {}
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
