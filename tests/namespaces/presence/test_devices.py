"""What becomes of devices where a node stands still, or storage does not answer."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from parley.namespaces.presence import devices as presence_devices
from parley.namespaces.session import Session
from parley.storage.errors import StorageUnavailable
from parley.storage.memory.presence import MemoryPresenceStore
from parley.storage.models import UserId
from tests.namespaces.presence.house import GRACE_S, LEASE_S, House, Node
from tests.redis_databases import REDIS, empty

ORDER = Random(0)


@pytest.fixture(params=["memory", *REDIS])
async def house(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[House]:
    async with contextlib.AsyncExitStack() as stack:
        redis = None
        if request.param != "memory":
            redis = await stack.enter_async_context(empty(request.param))
        house = await stack.enter_async_context(House.open(tmp_path / "data", redis=redis))
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


async def test_who_closes_while_the_lease_is_over_does_not_stay(house: House) -> None:
    """The node stood still longer than its lease, and her client gave up meanwhile."""
    one, _ = house.nodes
    ann = one.open("ann")
    bob = await follow(house, one, "ann")
    house.seconds += LEASE_S + 1
    await one.close(ann)
    for _ in range(5):
        await one.presence.devices.step()
        await house.deliver(ORDER)
        house.seconds += GRACE_S
    assert heard(one, bob) == [("user_offline", "offline")]


class Slow:
    """Users whose disk takes its time to take when they were seen."""

    def __init__(self, users: Any) -> None:
        self.asked, self.answers = asyncio.Event(), asyncio.Event()
        self._users = users

    def __getattr__(self, name: str) -> Any:
        return getattr(self._users, name)

    async def saw(self, seen: Any) -> None:
        self.asked.set()
        await self.answers.wait()
        await self._users.saw(seen)


class Renewed:
    """A store that says when a lease was renewed."""

    def __init__(self, store: Any) -> None:
        self.renewals = asyncio.Condition()
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def renew(self, server_id: str) -> bool:
        held: bool = await self._store.renew(server_id)
        async with self.renewals:
            self.renewals.notify_all()
        return held


async def test_a_slow_disk_does_not_end_the_lease(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A step waits for it longer than a lease; nobody is taken for gone meanwhile."""
    one, two = house.nodes
    one.open("ann")
    cid = one.open("cid")
    bob = await follow(house, two, "ann")
    devices: Any = one.presence.devices
    last_seen: Any = vars(one.presence.devices)["_last_seen"]
    slow = Slow(vars(last_seen)["_users"])
    monkeypatch.setattr(last_seen, "_users", slow)
    monkeypatch.setattr(devices, "_store", renewed := Renewed(vars(devices)["_store"]))
    monkeypatch.setattr(presence_devices, "RENEWAL_S", 0.001)
    async with devices.running():
        await one.close(cid)
        await slow.asked.wait()
        for _ in range(4):
            house.seconds += LEASE_S / 2
            for _ in range(2):  # the first may have begun before
                async with renewed.renewals:
                    await renewed.renewals.wait()
            await two.presence.devices.step()
        slow.answers.set()
    await house.deliver(ORDER)
    assert heard(two, bob) == []


async def test_a_process_that_stands_still_in_a_step_does_not_end_its_own(house: House) -> None:
    """Not even if the lease ends between what the step puts and what it claims."""
    one, _ = house.nodes
    one.open("ann")
    cid = one.open("cid")
    bob = await follow(house, one, "ann")
    last_seen = vars(one.presence.devices)["_last_seen"]
    slow = Slow(vars(last_seen)["_users"])
    last_seen._users = slow
    await one.close(cid)
    step = asyncio.create_task(one.presence.devices.step())
    await slow.asked.wait()
    house.seconds += LEASE_S + 1
    slow.answers.set()
    await step
    await settle(house)
    assert heard(one, bob) == []


async def test_what_another_node_put_into_the_place_of_a_lost_lease_is_whole(house: House) -> None:
    """Who comes when the lease is over does not hide that all others have to be put again."""
    one, two = house.nodes
    one.open("ann")
    bob = await follow(house, two, "ann")
    house.seconds += LEASE_S / 2
    await two.presence.devices.step()
    house.seconds += LEASE_S / 2 + 1
    await two.presence.devices.step()
    await house.deliver(ORDER)
    assert heard(two, bob) == [("user_offline", "offline")]
    one.open("cid")
    await settle(house)
    assert heard(two, bob) == [("user_online", "online")]


class Unsure:
    """Users of whom it is not known once whether they were made visible."""

    def __init__(self, users: Any) -> None:
        self.fails = True
        self._users = users

    def __getattr__(self, name: str) -> Any:
        return getattr(self._users, name)

    async def set_invisible(self, *said: Any) -> None:
        await self._users.set_invisible(*said)
        if self.fails:
            self.fails = False
            raise StorageUnavailable("it was written, and the answer was lost")


async def test_who_hides_is_hidden_on_disk_whatever_was_not_answered_before(house: House) -> None:
    """What is acked holds at the next connection."""
    one, _ = house.nodes
    ann = await one.connect("ann")
    devices = one.presence.devices
    await house.finished(devices.set_invisible(ann.user_id, True))
    hiding = vars(devices)["_hiding"]
    hiding._users = unsure = Unsure(vars(hiding)["_users"])
    with pytest.raises(StorageUnavailable):
        await house.finished(devices.set_invisible(ann.user_id, False))
    await house.finished(devices.set_invisible(ann.user_id, True))
    known = await unsure.known([ann.user_id])
    assert known[ann.user_id].invisible is True


async def test_who_hides_on_one_node_is_hidden_on_all(house: House) -> None:
    """Also where each node knows only its own devices: at the next audit."""
    one, two = house.nodes
    apart = MemoryPresenceStore(lease_s=LEASE_S, monotonic=lambda: house.seconds)
    devices = two.presence.devices
    for part in (devices, two.presence.service, *vars(devices).values()):
        if "_store" in getattr(part, "__dict__", ()):
            vars(part)["_store"] = apart
    vars(vars(two.presence.service)["_sightings"])["_store"] = apart
    ann, _ = await one.connect("ann"), two.open("ann")
    bob = await follow(house, two, "ann")
    one.ask(ann, "set_status", {"status": "online", "invisible": True})
    await house.answered()
    await house.audit()
    await house.deliver(ORDER)
    assert heard(two, bob) == [("user_offline", "offline")]
    one.ask(ann, "set_status", {"status": "online", "invisible": False})
    await house.answered()
    await house.audit()
    await house.deliver(ORDER)
    assert heard(two, bob) == [("user_online", "online")]


async def test_devices_are_listed_oldest_first(house: House) -> None:
    """Also those that came in one burst, and after all were put again."""
    one, _ = house.nodes
    ids = [one.open("ann").connection_id for _ in range(20)]
    await one.presence.devices.step()
    store = vars(one.presence.devices)["_store"]

    async def listed() -> list[str]:
        found = await store.get([UserId("ann")])
        return [device.id for device in found[UserId("ann")].devices]

    assert await listed() == ids
    house.seconds += LEASE_S + 1
    await house.nodes[1].presence.devices.step()
    assert await listed() == []
    ids.append(one.open("ann").connection_id)
    await one.presence.devices.step()
    assert await listed() == ids
