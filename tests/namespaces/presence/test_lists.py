"""Lists of rooms where several things happen before the next event (both were wrong once)."""

from collections.abc import AsyncIterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from parley.namespaces.presence import room_list
from parley.namespaces.session import Session
from parley.storage.models import UserId
from tests.namespaces.presence.house import House

ORDER = Random(0)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with House.open(tmp_path / "data") as house:
        yield house


async def connect(house: House, *names: str) -> list[Session]:
    sessions = [await house.nodes[0].connect(name) for name in names]
    await house.step()
    await house.deliver(ORDER)
    return sessions


async def ask(house: House, session: Session, event: str, **payload: Any) -> None:
    house.nodes[0].ask(session, event, payload)
    await house.answered()
    await house.deliver(ORDER)


async def told(house: House, session: Session) -> list[tuple[str, Any]]:
    """Let half a second pass; take what a socket was told of its room, and its acks."""
    await house.nodes[0].presence.lists.tell_all()
    wire = house.nodes[0].wire
    frames = [wire.read(session.sid) for _ in list(wire.outboxes[session.sid])]
    rooms = [(name, data.get("data", data)) for name, data in frames if name in ("room", "ack")]
    return [(name, data) for name, data in rooms if "online" in data]


async def test_who_hides_and_leaves_is_taken_from_the_list(house: House) -> None:
    room_id = await house.make_room("ann", "bob")
    ann, bob = await connect(house, "ann", "bob")
    await ask(house, ann, "room", room_id=room_id)
    [(_, first)] = await told(house, ann)
    assert first["online"] == 2
    await ask(house, bob, "set_status", status="online", invisible=True)
    await house.nodes[0].chat.services.membership.leave(UserId("bob"), room_id)
    await house.deliver(ORDER)
    [(_, event)] = await told(house, ann)
    assert event["whole"] is True
    assert [one["user_id"] for one in event["users"]] == ["ann"]


async def test_a_count_that_was_another_for_a_moment_is_told(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who was given it at that moment must not keep it."""
    monkeypatch.setattr(room_list, "MAX_LISTED", 1)
    room_id = await house.make_room("ann", "bob")
    ann, bob = await connect(house, "ann", "bob")
    await ask(house, ann, "room", room_id=room_id)
    await _hide(house, bob, True)
    assert (await told(house, ann))[-1] == ("room", {"room_id": room_id, "online": 1})
    await _hide(house, bob, False)
    [late] = await connect(house, "ann")
    await ask(house, late, "room", room_id=room_id)
    await _hide(house, bob, True)
    assert (await told(house, late))[-1] == ("room", {"room_id": room_id, "online": 1})


async def _hide(house: House, session: Session, invisible: bool) -> None:
    await ask(house, session, "set_status", status="online", invisible=invisible)
