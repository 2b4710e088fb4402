"""What one of two nodes has acknowledged holds on the other, which was not told of it."""

from typing import Any

import pytest

from parley.storage.models import UserId
from tests.namespaces.chat.nodes import Nodes, a_room_of, do, enter, say

ANN, BOB, EVE = UserId("ann"), UserId("bob"), UserId("eve")


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
