"""Sockets that do not keep up while something is taken from them (all of it leaked once)."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pytest

from parley.namespaces.session import Session
from parley.storage.models import RoomId, UserId
from tests.namespaces.presence.house import House, Node

ORDER = Random(0)
NEVER_HERE: tuple[str, list[Any]] = ("offline", [])


@dataclass
class Scene:
    """Bob and Cid share a room, and Bob does not read."""

    house: House
    node: Node
    room_id: RoomId
    bob: Session
    cid: Session

    async def ask(self, session: Session, event: str, **payload: Any) -> None:
        self.node.ask(session, event, payload)
        await self.house.answered()
        await self.settle()

    async def settle(self) -> None:
        await self.house.step()
        await self.house.deliver(ORDER)

    async def falls_behind(self, room: str) -> None:
        """Let Bob have something to read, and what waits for him of a room be given up."""
        self.read()
        self.node.wire.send(self.bob.sid, "filler", {})
        assert self.node.presence.namespace.fell_behind(self.bob.sid, room)

    def read(self) -> list[tuple[str, Any]]:
        """Let Bob read all that is there."""
        wire = self.node.wire
        return [wire.read(self.bob.sid) for _ in list(wire.outboxes[self.bob.sid])]

    async def caught_up(self) -> list[tuple[str, Any]]:
        """Let Bob read until nothing comes any more."""
        frames = found = self.read()
        while found:
            for _ in range(4):
                await asyncio.sleep(0)
            frames += (found := self.read())
        return frames

    async def leaves(self, who: str) -> None:
        membership = self.node.chat.services.membership
        await membership.leave(UserId(who), self.room_id)
        await self.settle()

    async def tells_nothing_of_cid(self) -> None:
        """See that Bob hears nothing of what Cid does next."""
        await self.ask(self.cid, "set_status", status="busy", location="hospital")
        await self.node.presence.lists.tell_all()
        assert "cid" not in str(self.read())


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with House.open(tmp_path / "data") as house:
        node = house.nodes[0]
        room_id = await house.make_room("ann", "bob", "cid")
        scene = Scene(
            house, node, room_id, bob=await node.connect("bob"), cid=await node.connect("cid")
        )
        await scene.settle()
        yield scene


def last_of_cid(frames: list[tuple[str, Any]]) -> tuple[str, Any]:
    told = [data["content"] for _, data in frames if "content" in data]
    last = next(content for content in reversed(told) if content["user_id"] == "cid")
    return last["status"], last["devices"]


@pytest.mark.parametrize("leaver", ["bob", "cid"])
@pytest.mark.parametrize("behind", ["of:cid", "user:bob"])
async def test_who_may_not_see_her_any_more_is_told_nothing_more(
    scene: Scene, leaver: str, behind: str
) -> None:
    """Whichever of the two left, and whatever he missed meanwhile."""
    await scene.ask(scene.bob, "subscribe", user_ids=["cid"])
    await scene.falls_behind(behind)
    await scene.leaves(leaver)
    assert last_of_cid(await scene.caught_up()) == NEVER_HERE
    await scene.tells_nothing_of_cid()
    # And he goes on, where he may.
    await scene.ask(scene.bob, "set_status", status="away")
    assert "away" in str(scene.read())


async def test_who_leaves_a_room_is_not_told_who_is_here(scene: Scene) -> None:
    await scene.ask(scene.bob, "room", room_id=scene.room_id)
    await scene.falls_behind(f"list:{scene.room_id}")
    await scene.leaves("bob")
    await scene.node.presence.lists.tell_all()
    frames = await scene.caught_up()
    assert [data for name, data in frames if name == "room"] == [
        {"room_id": scene.room_id, "ended": True}
    ]
    await scene.tells_nothing_of_cid()


async def test_who_catches_up_after_he_left_is_told_so(scene: Scene) -> None:
    """The list knows already that he left, and has not told yet."""
    late = await scene.node.connect("cid")
    await scene.ask(scene.bob, "room", room_id=scene.room_id)
    await scene.falls_behind(f"list:{scene.room_id}")
    await scene.leaves("bob")
    await scene.ask(late, "room", room_id=scene.room_id)
    frames = await scene.caught_up()
    assert [data for name, data in frames if name == "room"] == [
        {"room_id": scene.room_id, "ended": True}
    ]
    await scene.tells_nothing_of_cid()


async def test_who_follows_again_while_he_catches_up_goes_on(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    """He is told by the ack; what else he missed is told too."""
    await scene.ask(scene.bob, "subscribe", user_ids=["cid"])
    await scene.falls_behind("of:cid")
    assert scene.node.presence.namespace.fell_behind(scene.bob.sid, "user:bob")
    await scene.node.close(scene.cid)  # nobody else looks at her
    scene.node.ask(scene.bob, "unsubscribe", {"user_ids": ["cid"]})
    scene.node.ask(scene.bob, "subscribe", {"user_ids": ["cid"]})
    frames = scene.read()
    for _ in range(4):
        await asyncio.sleep(0)
    await scene.house.answered()
    frames += await scene.caught_up()
    acks = [data for name, data in frames if name == "ack" and data["event"] == "subscribe"]
    assert [(ack["ok"], ack["data"]["users"][0]["status"]) for ack in acks] == [(True, "online")]
    await scene.ask(scene.bob, "set_status", status="away")
    assert "away" in [data["content"]["status"] for _, data in scene.read() if "content" in data]
    assert not caplog.records
