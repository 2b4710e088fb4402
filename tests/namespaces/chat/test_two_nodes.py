"""What one of two nodes tells the other: rows, hints of its users, typing and signals."""

import asyncio
from typing import Any

import pytest

from parley.namespaces.chat import audit
from parley.namespaces.chat.announcements import Announcements
from parley.namespaces.seal import Seal
from parley.namespaces.session import user_room
from parley.storage.models import RoomId, UserId
from parley.storage.sqlite.database import Database
from tests.namespaces.chat.house import House
from tests.namespaces.chat.nodes import Nodes, a_room_of, do, enter, say, texts
from tests.until import until

ANN, BOB, EVE = UserId("ann"), UserId("bob"), UserId("eve")


async def test_a_row_comes_with_its_announcement(nodes: Nodes, database: Database) -> None:
    room_id = await a_room_of(nodes, ANN, BOB)
    await enter(nodes.two, BOB, room_id)
    await nodes.deliver()
    nodes.two.heard(BOB)
    reads = _counted(nodes.two)
    for text in ("one", "two"):
        assert (await say(nodes.one, ANN, room_id, text))["ok"]
    await nodes.deliver()
    assert texts(nodes.two, BOB) == ["one", "two"]
    assert reads == []


async def test_a_row_behind_a_gap_is_not_delivered_before_what_is_missing(nodes: Nodes) -> None:
    room_id = await a_room_of(nodes, ANN, BOB)
    await enter(nodes.two, BOB, room_id)
    await say(nodes.one, ANN, room_id, "one")
    nodes.lose()
    await say(nodes.one, ANN, room_id, "two")
    await nodes.deliver()
    assert texts(nodes.two, BOB) == ["one", "two"]


async def test_a_row_nobody_wrote_is_not_delivered(nodes: Nodes) -> None:
    """Nor is the true one lost that takes its place."""
    room_id = await a_room_of(nodes, ANN, BOB)
    await enter(nodes.two, BOB, room_id)
    said = await say(nodes.one, ANN, room_id, "true")
    feed = nodes.one.chat.feeds.running(room_id)
    assert feed is not None
    [row] = feed.since(said["data"]["rev"] - 1) or await _rows(nodes.one, room_id, said)
    nodes.lose()
    forged = Announcements(Seal(b"f" * 32), server_id="n1").of(feed.room, row.rev, [row])
    nodes.bus.publish(f"room:{room_id}", forged.replace(b'"true"', b'"lies"'))
    await nodes.deliver()
    assert texts(nodes.two, BOB) == ["true"]


@pytest.mark.parametrize("payload", [b"5", b'"method"', b"\xff", b"~{}", b"0000000.1", b"x" * 99])
async def test_what_is_no_announcement_changes_nothing(nodes: Nodes, payload: bytes) -> None:
    room_id = await a_room_of(nodes, ANN, BOB)
    await enter(nodes.two, BOB, room_id)
    nodes.bus.publish(f"room:{room_id}", payload)
    await say(nodes.one, ANN, room_id)
    await nodes.deliver()
    assert texts(nodes.two, BOB) == ["tea"]


async def test_another_log_is_looked_up_before_it_is_believed(nodes: Nodes) -> None:
    """By a forged epoch nobody has to sync."""
    room_id = await a_room_of(nodes, ANN, BOB)
    await enter(nodes.two, BOB, room_id)
    await nodes.deliver()
    nodes.two.heard(BOB)
    feed = nodes.two.chat.feeds.running(room_id)
    nodes.bus.publish(f"room:{room_id}", b"deadbeef.0")
    await say(nodes.one, ANN, room_id)
    await nodes.deliver()
    assert nodes.two.chat.feeds.running(room_id) is feed
    assert [name for name, _ in nodes.two.heard(BOB)] == ["chat"]


@pytest.mark.parametrize(
    "payload", [b"", b"5", b"\xff", b" ", b"a b c", b"../x ann", b"x" * 70_000]
)
async def test_what_is_no_hint_of_a_user_changes_nothing(nodes: Nodes, payload: bytes) -> None:
    room_id = await a_room_of(nodes, ANN)
    await nodes.two.arrive(BOB)
    await nodes.deliver()
    nodes.two.heard(BOB)
    nodes.bus.publish(user_room(BOB), payload)
    assert (await do(nodes.one, ANN, "invite", room_id, user_id=BOB))["ok"]
    await nodes.deliver()
    assert [(name, data["code"]) for name, data in nodes.two.heard(BOB)] == [("system", "invited")]


async def test_a_bus_that_is_back_has_storage_looked_at(
    nodes: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At once: what was announced meanwhile is known to nobody."""
    monkeypatch.setattr(audit, "EVERY_S", 3_600)
    room_id = await a_room_of(nodes, ANN, BOB)
    await enter(nodes.two, BOB, room_id)
    nodes.two.heard(BOB)
    auditing = asyncio.create_task(nodes.two.chat.audit.forever())
    await say(nodes.one, ANN, room_id)
    nodes.lose()
    for reconnected in nodes.bus.reconnected:
        reconnected()
    await until(lambda: bool(nodes.two.wire.outboxes[BOB]))
    assert texts(nodes.two, BOB) == ["tea"]
    auditing.cancel()
    await asyncio.wait([auditing])


async def test_typing_and_signals_reach_the_other_node_once(nodes: Nodes) -> None:
    room_id = await a_room_of(nodes, ANN, BOB)
    for house, user in ((nodes.one, ANN), (nodes.two, BOB), (nodes.two, ANN)):
        await house.arrive(user)
    await nodes.deliver()
    for house, user in ((nodes.one, ANN), (nodes.two, BOB), (nodes.two, ANN)):
        house.heard(user)
    await nodes.one.ask(ANN, "typing", {"room_id": room_id, "typing": True})
    await nodes.one.ask(ANN, "signal", {"room_id": room_id, "name": "cursor", "data": {"x": 1}})
    await nodes.one.ask(ANN, "read", {"room_id": room_id, "seq": 1})
    await nodes.deliver()
    kinds = ("typing", "signal", "read")
    heard = [
        [name for name, _ in house.heard(user) if name in kinds]
        for house, user in ((nodes.one, ANN), (nodes.two, BOB), (nodes.two, ANN))
    ]
    assert heard == [[], ["typing", "signal", "read"], ["signal", "read"]]


def _counted(house: House) -> list[int]:
    """Return what grows with each read of changes that a node makes."""
    reads: list[int] = []
    changes = house.messages.changes

    async def counted(room_id: RoomId, *, after: int, limit: int | None = None) -> Any:
        reads.append(after)
        return await changes(room_id, after=after, limit=limit)

    house.messages.changes = counted  # type: ignore[method-assign]
    return reads


async def _rows(house: House, room_id: RoomId, said: Any) -> Any:
    page = await house.messages.changes(room_id, after=said["data"]["rev"] - 1)
    return page.messages
