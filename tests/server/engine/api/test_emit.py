"""``emit`` and ``send`` reach whom they name, as python-socketio documents it."""

from typing import Any

import pytest

from tests.e2e.stock import every_stock_client
from tests.server.engine.api.conftest import Invite
from tests.server.engine.api.guests import NAMESPACE, as_bytes

pytestmark = [pytest.mark.asyncio(loop_scope="module"), every_stock_client]


async def test_emit_reaches_rooms_clients_and_lists_of_them(invite: Invite, sio: Any) -> None:
    """Each hears once what is for her when the target is a room, an id or several."""
    (alice, a), (bob, b), (carol, _) = [await invite() for _ in range(3)]
    await sio.enter_room(a, "tea", namespace=NAMESPACE)
    await sio.enter_room(b, "tea", namespace=NAMESPACE)
    await sio.enter_room(b, "pub", namespace=NAMESPACE)
    await sio.emit("room", 1, to="tea", namespace=NAMESPACE)
    await sio.emit("alias", 2, room="tea", namespace=NAMESPACE)
    await sio.emit("own", 3, to=a, namespace=NAMESPACE)
    await sio.emit("both", 4, to=["tea", "pub"], namespace=NAMESPACE)
    await sio.emit("list", 5, to=[a, "pub"], namespace=NAMESPACE)
    await sio.emit("nobody", 6, to="empty", namespace=NAMESPACE)
    await sio.emit("elsewhere", 7, to="tea", namespace="/")
    await sio.emit("all", 8, namespace=NAMESPACE)
    common = [("room", 1), ("alias", 2)]
    last = [("both", 4), ("list", 5), ("all", 8)]
    assert await alice.up_to("all") == [*common, ("own", 3), *last]
    assert await bob.up_to("all") == [*common, *last]
    assert await carol.up_to("all") == [("all", 8)]


@pytest.mark.parametrize("as_list", [False, True])
async def test_emit_passes_over_whom_it_should_skip(
    invite: Invite, sio: Any, as_list: bool
) -> None:
    """A sender does not hear herself when her id, or a list with it, is given."""
    (alice, a), (bob, b) = [await invite() for _ in range(2)]
    for sid in (a, b):
        await sio.enter_room(sid, "tea", namespace=NAMESPACE)
    skip = [a] if as_list else a
    await sio.emit("first", to="tea", skip_sid=None, namespace=NAMESPACE)
    await sio.emit("room", to="tea", skip_sid=skip, namespace=NAMESPACE)
    await sio.emit("all", skip_sid=skip, namespace=NAMESPACE)
    await sio.emit("last", namespace=NAMESPACE)
    assert [name for name, _ in await alice.up_to("last")] == ["first", "last"]
    assert [name for name, _ in await bob.up_to("last")] == ["first", "room", "all", "last"]


async def test_send_is_an_event_named_message(invite: Invite, sio: Any) -> None:
    """Clients hear ``message`` when the server sends."""
    guest, sid = await invite()
    await sio.send({"text": "hello"}, to=sid, namespace=NAMESPACE)
    assert await guest.event("message") == {"text": "hello"}


DATA: dict[str, Any] = {
    "nothing": None,
    "text": "é – 日本語 😀 \x1e\u2028",
    "false": False,
    "zero": 0,
    "a list": [1, [2, {"3": None}]],
    "an object": {"a": {"b": [1.5, True]}},
    "bytes": b"\x00\x01\xff",
    "bytes inside": {"a": [b"", {"b": b"\x02" * 70_000}], "c": "text"},
    "large": "x" * 300_000,
}


@pytest.mark.parametrize("to", ["room", "sid", "all"])
async def test_data_arrives_as_it_was(invite: Invite, sio: Any, to: str) -> None:
    """Any JSON, and bytes anywhere in it, is what it was, in order, through every target."""
    guest, sid = await invite()
    await sio.enter_room(sid, "tea", namespace=NAMESPACE)
    target = {"room": "tea", "sid": sid, "all": None}[to]
    for name, data in DATA.items():
        await sio.emit(name, data, to=target, namespace=NAMESPACE)
    await sio.emit("last", to=target, namespace=NAMESPACE)
    heard = dict(await guest.up_to("last"))
    assert list(heard) == [*DATA, "last"]
    assert {name: as_bytes(data) for name, data in heard.items() if name in DATA} == DATA


async def test_many_events_of_one_step_keep_their_order(invite: Invite, sio: Any) -> None:
    """300 events through a room, to a client and to all are heard as they were sent."""
    guest, sid = await invite()
    await sio.enter_room(sid, "tea", namespace=NAMESPACE)
    for n in range(300):
        await sio.emit("n", n, to=("tea", sid, None)[n % 3], namespace=NAMESPACE)
    await sio.emit("last", namespace=NAMESPACE)
    await guest.event("last")
    assert guest.of("n") == list(range(300))


async def test_rooms_are_entered_and_left_and_closed(invite: Invite, sio: Any) -> None:
    """What is sent in between reaches exactly who is in the room at that moment."""
    (alice, a), (bob, b) = [await invite() for _ in range(2)]
    await sio.emit("n", 0, to="tea", namespace=NAMESPACE)
    await sio.enter_room(a, "tea", namespace=NAMESPACE)
    await sio.emit("n", 1, to="tea", namespace=NAMESPACE)
    await sio.enter_room(b, "tea", namespace=NAMESPACE)
    await sio.emit("n", 2, to="tea", namespace=NAMESPACE)
    assert sorted(sio.rooms(a, namespace=NAMESPACE)) == sorted([a, "tea"])
    await sio.leave_room(a, "tea", namespace=NAMESPACE)
    await sio.emit("n", 3, to="tea", namespace=NAMESPACE)
    await sio.close_room("tea", namespace=NAMESPACE)
    await sio.emit("n", 4, to="tea", namespace=NAMESPACE)
    assert sio.rooms(a, namespace=NAMESPACE) == [a]
    assert sio.rooms(b, namespace=NAMESPACE) == [b]
    await sio.emit("last", namespace=NAMESPACE)
    await alice.event("last")
    await bob.event("last")
    assert (alice.of("n"), bob.of("n")) == ([1, 2], [2, 3])
