"""People who come into rooms and leave them while somebody asks (each answer was wrong once)."""

from collections.abc import AsyncIterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from parley.namespaces.presence.views import MAX_DEVICES
from parley.namespaces.session import Session
from parley.storage.models import UserId
from tests.namespaces.presence.house import House, Node

ORDER = Random(0)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with House.open(tmp_path / "data") as house:
        yield house


async def settle(house: House) -> None:
    await house.step()
    await house.deliver(ORDER)


async def connect(house: House, *names: str) -> list[Session]:
    sessions = [await house.nodes[0].connect(name) for name in names]
    await settle(house)
    return sessions


async def ask(house: House, node: Node, session: Session, event: str, **payload: Any) -> Any:
    """Return the ack's data, or its error."""
    node.ask(session, event, payload)
    await house.answered()
    [ack] = [data for name, data in frames(node, session) if name == "ack"]
    return ack["data"] if ack["ok"] else ack["error"]


def frames(node: Node, session: Session) -> list[tuple[str, Any]]:
    return [node.wire.read(session.sid) for _ in list(node.wire.outboxes[session.sid])]


class Meanwhile:
    """Reads of a part, with something that happens before or behind the first of them."""

    def __init__(self, part: Any, name: str, happens: Any, *, before: bool) -> None:
        self._part, self._name, self._happens, self._before = part, name, happens, before

    def __getattr__(self, name: str) -> Any:
        return self._read if name == self._name else getattr(self._part, name)

    async def _read(self, *asked: Any) -> Any:
        happens, self._happens = self._happens, None
        if happens is not None and self._before:
            await happens()
        found = await getattr(self._part, self._name)(*asked)
        if happens is not None and not self._before:
            await happens()
        return found


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize(("part", "read"), [("_sightings", "read"), ("_privacy", "seen_by")])
async def test_who_is_put_out_while_she_asks_ends_with_what_is_so(
    house: House, part: str, read: str, before: bool
) -> None:
    """By the rule of the protocol she takes the ack for what came last, if it is not older."""
    one = house.nodes[0]
    room_id = await house.make_room("ann", "bob")
    _, bob = await connect(house, "ann", "bob")
    await ask(house, one, bob, "subscribe", user_ids=["ann"])

    async def leave() -> None:
        await one.chat.services.membership.leave(UserId("bob"), room_id)
        await house.deliver(ORDER)

    service: Any = one.presence.service
    setattr(service, part, Meanwhile(vars(service)[part], read, leave, before=before))
    one.ask(bob, "get", {"user_ids": ["ann"]})
    await house.answered()
    told = frames(one, bob)
    [ack] = [data["data"]["users"][0] for name, data in told if name == "ack"]
    [event] = [data["content"] for name, data in told if name == "user_offline"]
    assert ack["version"] < event["version"] or ack["status"] == "offline"


async def test_who_has_joined_may_ask_who_is_here_at_once(house: House) -> None:
    """Somebody else follows that already, and the hint of it is on the way."""
    one = house.nodes[0]
    room_id = await house.make_room("ann")
    ann, bob = await connect(house, "ann", "bob")
    await ask(house, one, ann, "room", room_id=room_id)
    await one.chat.services.membership.join(UserId("bob"), room_id)
    answer = await ask(house, one, bob, "room", room_id=room_id)
    assert [user["user_id"] for user in answer["users"]] == ["ann", "bob"]


async def test_a_membership_that_no_row_was_heard_of_counts(house: House) -> None:
    """A node that was not told answers from storage: who is out, and who is in."""
    one, two = house.nodes
    room_id = await house.make_room("ann", "bob")
    bob, cid = await two.connect("bob"), await two.connect("cid")
    await settle(house)
    await ask(house, two, bob, "room", room_id=room_id)
    await one.chat.services.membership.leave(UserId("bob"), room_id)
    await one.chat.services.membership.join(UserId("cid"), room_id)
    house.bus.on_the_way.clear()
    assert (await ask(house, two, bob, "room", room_id=room_id))["code"] == "forbidden"
    answer = await ask(house, two, cid, "room", room_id=room_id)
    assert [user["user_id"] for user in answer["users"]] == ["cid"]


async def test_people_who_follow_one_another_are_looked_at_once(house: House) -> None:
    """When their room is deleted it is asked once about each, and all are read together."""
    one = house.nodes[0]
    names = [f"user-{number}" for number in range(8)]
    room_id = await house.make_room(*names)
    sessions = await connect(house, *names)
    for session in sessions:
        await ask(house, one, session, "subscribe", user_ids=names)
    asked: list[str] = []
    followers: Any = one.presence.followers
    followers._privacy = Counted(vars(followers)["_privacy"], "seen_by", asked)
    followers._privacy = Counted(followers._privacy, "seers_of", asked)
    sightings: Any = vars(one.presence.service)["_sightings"]
    sightings._store = Counted(vars(sightings)["_store"], "get", asked)
    await house.delete_room(room_id, names[0])
    await followers.moved([UserId(name) for name in names])
    assert sorted(asked) == ["get", *["seen_by"] * len(names)]
    for session in sessions:
        gone = [data for name, data in frames(one, session) if name == "user_offline"]
        assert len(gone) == len(names) - 1


class Counted:
    """A part, with a note of each call of one method."""

    def __init__(self, part: Any, name: str, calls: list[str]) -> None:
        self._part, self._name, self._calls = part, name, calls

    def __getattr__(self, name: str) -> Any:
        if name == self._name:
            self._calls.append(name)
        return getattr(self._part, name)


@pytest.mark.parametrize("whom", ["ann", "cid", "never"])
async def test_the_time_of_an_answer_tells_nobody_who_is_here(house: House, whom: str) -> None:
    """As much is read of who is here as of who hides and who never was."""
    one = house.nodes[0]
    await house.make_room("ann", "bob")
    *_, cid, stranger = await connect(house, "ann", "bob", "cid", "stranger")
    await ask(house, one, cid, "set_status", status="online", invisible=True)
    asked: list[str] = []
    sightings = vars(one.presence.service)["_sightings"]
    sightings._users = Counted(vars(sightings)["_users"], "known", asked)
    await ask(house, one, stranger, "get", user_ids=[whom])
    await ask(house, one, stranger, "subscribe", user_ids=[whom])
    assert asked == ["known", "known"]


async def test_a_user_with_many_devices_is_a_small_event(house: House) -> None:
    """The oldest are shown; what she is follows from all."""
    one = house.nodes[0]
    await house.make_room("ann", "bob")
    [bob] = await connect(house, "bob")
    phones = await connect(house, *["ann"] * (MAX_DEVICES + 5))
    for phone in phones[:-1]:
        await ask(house, one, phone, "set_status", status="away")
    [seen] = (await ask(house, one, bob, "get", user_ids=["ann"]))["users"]
    assert (seen["status"], seen["devices"]) == ("online", [{"status": "away"}] * MAX_DEVICES)
