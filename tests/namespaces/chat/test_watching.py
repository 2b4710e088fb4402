"""A watch ends when its room is closed, and stays ended, however the two come together."""

from typing import Any

import pytest

from parley.storage.models import UserId
from tests.namespaces.chat.nodes import Nodes, a_room_of, do, enter, say

ANN, BOB, EVE = UserId("ann"), UserId("bob"), UserId("eve")


async def test_a_watch_that_the_answer_refuses_is_over(
    nodes: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The room is closed by another node after she was let watch, before she is detached."""
    room_id = await a_room_of(nodes, ANN, BOB)
    await enter(nodes.two, BOB, room_id)
    await nodes.two.arrive(EVE)
    opened, closes = nodes.two.chat.feeds.open, iter((False, True))

    async def closed_meanwhile(*args: Any, **options: Any) -> Any:
        if next(closes, False):
            await _make_private(nodes, room_id, True)
        return await opened(*args, **options)

    monkeypatch.setattr(nodes.two.chat.feeds, "open", closed_meanwhile)
    watch = await nodes.two.ask(EVE, "watch", {"room_id": room_id})
    assert watch["data"]["sync"] == {"state": "gone"}

    await _make_private(nodes, room_id, False)
    await say(nodes.one, ANN, room_id)
    await nodes.deliver()
    assert nodes.two.heard(EVE) == []
    sync = await nodes.two.ask(EVE, "sync", {"rooms": {room_id: None}})
    assert sync["data"]["rooms"][room_id] == {"state": "denied"}


async def _make_private(nodes: Nodes, room_id: str, yes: bool) -> None:
    changes = {"settings": {"is_private": yes}}
    assert (await do(nodes.one, ANN, "update_room", room_id, changes=changes))["ok"]
