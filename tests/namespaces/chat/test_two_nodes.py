"""Two nodes over one storage: what one has acknowledged holds on the other, told of or not."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
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


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with Database.open(tmp_path) as database:
        yield database


@pytest.fixture
def nodes(database: Database) -> Nodes:
    return Nodes(database)


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


async def test_who_has_joined_by_one_node_speaks_by_the_other(nodes: Nodes) -> None:
    room_id = await a_room_of(nodes, ANN, is_private=False)
    assert not (await say(nodes.two, BOB, room_id))["ok"]  # its feed runs
    await enter(nodes.one, BOB, room_id)
    nodes.lose()
    assert (await say(nodes.two, BOB, room_id))["ok"]


@pytest.mark.parametrize(
    ("event", "more"),
    [
        ("typing", {"typing": True}),
        ("signal", {"name": "cursor", "data": {}}),
        ("read", {"seq": 1}),
        ("members", {}),
        ("history", {}),
        ("room", {}),
        ("sync", {}),
    ],
)
async def test_who_has_joined_by_one_node_asks_by_the_other(
    nodes: Nodes, event: str, more: dict[str, Any]
) -> None:
    room_id = await a_room_of(nodes, ANN, is_private=True)
    assert not (await say(nodes.two, BOB, room_id))["ok"]  # its feed runs
    assert (await do(nodes.one, ANN, "invite", room_id, user_id=BOB))["ok"]
    await enter(nodes.one, BOB, room_id)
    nodes.lose()
    payload = {"rooms": {room_id: None}} if event == "sync" else {"room_id": room_id, **more}
    ack = await nodes.two.ask(BOB, event, payload)
    assert ack["ok"]
    assert event != "sync" or ack["data"]["rooms"][room_id]["state"] == "ok"


async def test_who_has_joined_by_one_node_leaves_by_the_other(nodes: Nodes) -> None:
    room_id = await a_room_of(nodes, ANN)
    await nodes.two.ask(BOB, "history", {"room_id": room_id})
    await enter(nodes.one, BOB, room_id)
    nodes.lose()
    assert (await nodes.two.ask(BOB, "leave_room", {"room_id": room_id}))["ok"]
    assert not (await say(nodes.one, BOB, room_id))["ok"]


async def test_who_has_left_by_one_node_joins_by_the_other(nodes: Nodes) -> None:
    room_id = await a_room_of(nodes, ANN, BOB)
    await nodes.two.ask(BOB, "history", {"room_id": room_id})
    assert (await nodes.one.ask(BOB, "leave_room", {"room_id": room_id}))["ok"]
    nodes.lose()
    await enter(nodes.two, BOB, room_id)
    assert (await say(nodes.one, BOB, room_id))["ok"]


async def test_a_role_that_one_node_gave_holds_on_the_other(nodes: Nodes) -> None:
    room_id = await a_room_of(nodes, ANN, BOB, EVE)
    await nodes.two.ask(BOB, "history", {"room_id": room_id})
    assert (await do(nodes.one, ANN, "set_role", room_id, user_id=BOB, role="admin"))["ok"]
    nodes.lose()
    assert (await do(nodes.two, BOB, "kick", room_id, user_id=EVE))["ok"]
    assert (await do(nodes.one, ANN, "mute", room_id, user_id=BOB, muted_for_ms=60_000))["ok"]
    assert (await do(nodes.one, ANN, "mute", room_id, user_id=BOB, muted_for_ms=0))["ok"]
    nodes.lose()
    assert (await say(nodes.two, BOB, room_id))["ok"]


async def test_a_room_that_one_node_gave_her_is_deleted_by_the_other(nodes: Nodes) -> None:
    """Her predecessor has left, which that one has not heard of."""
    room_id = await a_room_of(nodes, ANN, BOB)
    await nodes.two.ask(BOB, "history", {"room_id": room_id})  # its feed runs
    assert (await nodes.one.ask(ANN, "leave_room", {"room_id": room_id}))["ok"]
    nodes.lose()
    assert (await do(nodes.two, BOB, "delete_room", room_id))["ok"]


async def test_a_deletion_is_repeated_by_the_other_node(nodes: Nodes) -> None:
    """It is answered alike, though that one has not heard that there is no room any more."""
    room_id = await a_room_of(nodes, ANN, BOB)
    await nodes.two.ask(ANN, "history", {"room_id": room_id})  # its feed runs
    for house in (nodes.one, nodes.two):
        assert (await do(house, ANN, "delete_room", room_id))["ok"]
        nodes.lose()


async def test_a_message_to_a_room_that_one_node_has_deleted_is_to_be_sent_once_more(
    nodes: Nodes,
) -> None:
    """By the other one, which has not heard of it; then it is told."""
    room_id = await a_room_of(nodes, ANN, BOB)
    await nodes.two.ask(BOB, "history", {"room_id": room_id})  # its feed runs
    assert (await do(nodes.one, ANN, "delete_room", room_id))["ok"]
    nodes.lose()
    answers = [await say(nodes.two, BOB, room_id) for _ in range(2)]
    assert [answer["error"]["code"] for answer in answers] == ["unavailable", "gone"]


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


@pytest.mark.parametrize(
    ("event", "more"),
    [
        ("typing", {"typing": True}),
        ("signal", {"name": "cursor", "data": {}}),
        ("read", {"seq": 1}),
    ],
)
async def test_who_was_sent_away_by_one_node_is_not_heard_through_the_other(
    nodes: Nodes, event: str, more: dict[str, Any]
) -> None:
    """Though that one has not heard of it yet."""
    room_id = await a_room_of(nodes, ANN, BOB, EVE)
    for house, user in ((nodes.one, ANN), (nodes.two, BOB), (nodes.two, EVE)):
        await house.arrive(user)
    await nodes.deliver()
    assert (await do(nodes.one, ANN, "kick", room_id, user_id=BOB))["ok"]
    nodes.lose()
    nodes.one.heard(ANN)
    for user in (BOB, EVE):
        assert (await nodes.two.ask(user, event, {"room_id": room_id, **more}))["ok"]
    await nodes.deliver()
    heard = [data["user_id"] for name, data in nodes.one.heard(ANN) if name == event]
    assert heard == [EVE]


@pytest.mark.parametrize(
    ("event", "more"), [("typing", {"typing": True}), ("signal", {"name": "cursor", "data": {}})]
)
async def test_who_was_sent_away_is_not_heard_by_her_own_node_when_that_is_deaf(
    nodes: Nodes, event: str, more: dict[str, Any]
) -> None:
    """It knows that it may not know, and looks into storage."""
    room_id = await a_room_of(nodes, ANN, BOB, EVE)
    for user in (BOB, EVE):
        await nodes.two.arrive(user)
    await nodes.deliver()
    nodes.bus.deaf = True
    assert (await nodes.two.ask(BOB, event, {"room_id": room_id, **more}))["ok"]
    assert (await do(nodes.one, ANN, "kick", room_id, user_id=BOB))["ok"]
    nodes.lose()
    nodes.two.heard(EVE)
    refused = await nodes.two.ask(BOB, event, {"room_id": room_id, **more})
    assert refused["error"]["code"] == "forbidden"
    assert event not in [name for name, _ in nodes.two.heard(EVE)]


async def test_who_was_sent_away_by_one_node_sees_no_members_on_the_other(nodes: Nodes) -> None:
    room_id = await a_room_of(nodes, ANN, BOB, is_private=True)
    await nodes.two.ask(BOB, "history", {"room_id": room_id})  # its feed runs
    assert (await do(nodes.one, ANN, "kick", room_id, user_id=BOB))["ok"]
    nodes.lose()
    assert not (await nodes.two.ask(BOB, "members", {"room_id": room_id}))["ok"]
