"""People who come into rooms and leave them while somebody asks (each answer was wrong once)."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import pytest

from parley.namespaces.presence import followers
from parley.namespaces.presence.views import MAX_DEVICES
from parley.namespaces.session import Session
from parley.storage.models import RoomId, UserId
from tests.namespaces.presence.house import House, Node

ORDER = Random(0)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with House.open(tmp_path / "data") as house:
        yield house


@pytest.fixture
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(followers, "PAIRS_AT_ONCE", 10)


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
    follower: Any = one.presence.followers
    follower._privacy = Counted(vars(follower)["_privacy"], "seen_by", asked)
    follower._privacy = Counted(follower._privacy, "seers_of", asked)
    sightings: Any = vars(one.presence.service)["_sightings"]
    sightings._store = Counted(vars(sightings)["_store"], "get", asked)
    await house.delete_room(room_id, names[0])
    await follower.moved([UserId(name) for name in names])
    assert sorted(asked) == ["get", *["seen_by"] * len(names)]
    for session in sessions:
        gone = [data for name, data in frames(one, session) if name == "user_offline"]
        assert len(gone) == len(names) - 1


@pytest.mark.parametrize("side", ["viewer", "seen"])
async def test_many_who_follow_are_settled_in_steps(
    house: House, small_steps: None, side: str
) -> None:
    """One who follows many goes, or one whom many follow: others have their turn meanwhile."""
    one, count = house.nodes[0], 25
    crowd, room_id = await crowd_around_bob(house, count, seen=side == "seen")
    await one.chat.services.membership.leave(UserId("bob"), room_id)
    house.bus.on_the_way.clear()
    told: list[int] = []

    async def watch() -> None:
        while True:
            told.append(sum(len(one.wire.outboxes[session.sid]) for session in crowd))
            await asyncio.sleep(0)

    watching = asyncio.create_task(watch())
    await one.presence.followers.moved([UserId("bob")])
    await asyncio.sleep(0)
    watching.cancel()
    assert told[-1] == count
    assert max(after - before for before, after in pairwise(told)) == 10


async def test_who_comes_back_between_two_steps_sees_everybody(
    house: House, small_steps: None
) -> None:
    """What is told from the first change is told again from the second, by no lower version."""
    one = house.nodes[0]
    socket, room_id, moving = await begin_to_move(house)
    await one.chat.services.membership.join(UserId("bob"), room_id)
    await house.deliver(ORDER)
    await moving
    told: dict[str, list[dict[str, Any]]] = {}
    for name, event in frames(one, socket):
        assert name in {"user_offline", "user_online"}
        told.setdefault(event["content"]["user_id"], []).append(event["content"])
    for contents in told.values():
        assert [content["status"] for content in contents] == ["offline", "online"]
        assert contents[0]["version"] <= contents[1]["version"]
    assert len(told) > 0


async def test_who_unfollows_between_two_steps_hears_no_more(
    house: House, small_steps: None
) -> None:
    one = house.nodes[0]
    socket, _, moving = await begin_to_move(house)
    one.presence.followers.unfollow(socket)
    await moving
    assert len(frames(one, socket)) == 10


async def begin_to_move(house: House) -> tuple[Session, RoomId, "asyncio.Task[None]"]:
    """Take the first step of what follows for bob's socket from his leaving a room."""
    one = house.nodes[0]
    [bob], room_id = await crowd_around_bob(house, 25, seen=False)
    await one.chat.services.membership.leave(UserId("bob"), room_id)
    house.bus.on_the_way.clear()
    moving = asyncio.create_task(one.presence.followers.moved([UserId("bob")]))
    while True:
        await asyncio.sleep(0)
        if told := len(one.wire.outboxes[bob.sid]):
            assert told == 10
            return bob, room_id, moving


async def crowd_around_bob(
    house: House, count: int, *, seen: bool
) -> tuple[Sequence[Session], RoomId]:
    """Let one socket of bob's follow many users of his room; or sockets of theirs follow bob."""
    one = house.nodes[0]
    names = [f"user-{number}" for number in range(count)]
    room_id = await house.make_room("owner", "bob", *names)
    everybody = await connect(house, "bob", *names)
    crowd = everybody[1:] if seen else everybody[:1]
    for session in crowd:
        await ask(house, one, session, "subscribe", user_ids=["bob"] if seen else names)
    return crowd, room_id


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
