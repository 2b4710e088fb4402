"""A disconnect handler is called once, in time, and with what it needs (Socket.IO v5)."""

# pyright: standard
# (python-socketio ships without types)

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from parley.namespaces.transport import Close
from tests.conformance.test_namespaces import entered
from tests.engines import House
from tests.links import LINKS, Link, WebSocketLink, heard

pytestmark = pytest.mark.parametrize("kind", LINKS)


async def _disconnect(house: House, link: Link, sid: str) -> None:
    await link.send("41")


async def _close(house: House, link: Link, sid: str) -> None:
    await link.leave()


async def _expel(house: House, link: Link, sid: str) -> None:
    await house.server.disconnect(sid)


async def _break(house: House, link: Link, sid: str) -> None:
    await link.send("x")


async def _cut(house: House, link: Link, sid: str) -> None:
    if isinstance(link, WebSocketLink):
        await link.websocket.close()
    else:  # nothing shows that it is gone but its silence
        connection = house.eio.sockets[link.opened["sid"]]
        house.eio.close(connection, Close.SILENT)


ENDS: dict[str, tuple[Callable[[House, Link, str], Awaitable[None]], str]] = {
    "the client leaves the namespace": (_disconnect, "client disconnect"),
    "the client closes": (_close, "client disconnect"),
    "the server disconnects": (_expel, "server disconnect"),
    "the client breaks the protocol": (_break, "server disconnect"),
    "the client is gone": (_cut, "transport close"),
}
every_end = pytest.mark.parametrize(("end", "reason"), ENDS.values(), ids=ENDS)


@every_end
async def test_a_disconnect_handler_is_called_once(
    house: House, kind: str, end: Callable[..., Awaitable[None]], reason: str
) -> None:
    """It is told who left and why, and nothing is kept of her, however it ends."""
    calls: list[tuple[str, str]] = []

    async def gone(sid: str, why: str) -> None:
        calls.append((sid, why))

    house.server.on("disconnect", gone)
    link = await house.link(kind)
    sid = await entered(link)
    await end(house, link, sid)
    await house.until(lambda: list(house.server.manager.get_namespaces()) == [])
    silent = end is _cut and kind == "polling"
    assert calls == [(sid, "ping timeout" if silent else reason)]


@every_end
async def test_a_type_error_is_no_reason_to_call_it_again(
    house: House,
    kind: str,
    end: Callable[..., Awaitable[None]],
    reason: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The handler is called once, and the client forgotten, when it raises TypeError."""
    calls: list[str] = []

    async def gone(sid: str, why: str = "") -> None:
        calls.append(sid)
        raise TypeError("a bug of the application")

    house.server.on("disconnect", gone)
    link = await house.link(kind)
    sid = await entered(link)
    try:
        await end(house, link, sid)
    except TypeError:
        assert end is _expel  # whoever called `disconnect` may hear of it
    await house.until(lambda: list(house.server.manager.get_namespaces()) == [])
    assert calls == [sid]
    caplog.clear()


@every_end
async def test_a_handler_that_raises_leaves_nothing_behind(
    house: House,
    kind: str,
    end: Callable[..., Awaitable[None]],
    reason: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The client is forgotten when its disconnect handler fails."""

    async def gone(sid: str, why: str) -> None:
        raise RuntimeError("a bug of the application")

    house.server.on("disconnect", gone)
    link = await house.link(kind)
    sid = await entered(link)
    await house.server.enter_room(sid, "tea")
    try:
        await end(house, link, sid)
    except RuntimeError:
        assert end is _expel
    await house.until(lambda: list(house.server.manager.get_namespaces()) == [])
    caplog.clear()


@every_end
async def test_a_disconnect_handler_still_knows_the_client(
    house: House, kind: str, end: Callable[..., Awaitable[None]], reason: str
) -> None:
    """Session, rooms, environ and transport are there while it runs, as in python-socketio."""
    known: dict[str, Any] = {}
    server = house.server

    async def gone(sid: str, why: str) -> None:
        known["rooms"] = sorted(server.rooms(sid))
        known["address"] = server.get_environ(sid)["REMOTE_ADDR"]
        async with server.session(sid) as session:
            known["session"] = dict(session)
        known["transport"] = server.transport(sid)

    server.on("disconnect", gone)
    link = await house.link(kind)
    sid = await entered(link)
    await server.enter_room(sid, "tea")
    await server.save_session(sid, {"name": "alice"})
    await end(house, link, sid)
    await house.until(lambda: list(server.manager.get_namespaces()) == [])
    assert known == {
        "rooms": sorted(["tea", sid]),
        "address": "127.0.0.1",
        "session": {"name": "alice"},
        "transport": "polling" if kind == "polling" else "websocket",
    }


async def test_a_handler_without_a_reason_is_called_too(house: House, kind: str) -> None:
    """A disconnect handler of the old style, with the client's id alone, is called once."""
    calls: list[str] = []

    async def gone(sid: str) -> None:
        calls.append(sid)

    house.server.on("disconnect", gone)
    link = await house.link(kind)
    sid = await entered(link)
    await link.send("41")
    await house.until(lambda: list(house.server.manager.get_namespaces()) == [])
    assert calls == [sid]


@pytest.mark.parametrize("end", [_disconnect, _expel])
async def test_who_is_leaving_is_not_heard_any_more(
    house: House, kind: str, end: Callable[..., Awaitable[None]]
) -> None:
    """Events are dropped when they come while the disconnect handler still runs."""
    goes, calls = asyncio.Event(), []

    async def gone(sid: str, why: str) -> None:
        calls.append("disconnect")
        await goes.wait()

    async def event(sid: str) -> None:
        calls.append("event")

    house.server.on("disconnect", gone)
    house.server.on("event", event)
    link = await house.link(kind)
    sid = await entered(link)
    ending = asyncio.ensure_future(end(house, link, sid))
    await house.until(lambda: bool(calls))
    await link.send('42["event"]', "40/custom,")
    while (await heard(link))[1] != "/custom":
        pass
    assert calls == ["disconnect"]
    goes.set()
    await ending
    await house.turn()
    assert calls == ["disconnect"]


async def test_who_comes_back_need_not_wait_for_the_handler(house: House, kind: str) -> None:
    """A client is let in again while the disconnect handler of its last visit still runs."""
    goes, calls = asyncio.Event(), []

    async def gone(sid: str, why: str) -> None:
        calls.append(sid)
        await goes.wait()

    house.server.on("disconnect", gone)
    link = await house.link(kind)
    first = await entered(link)
    await link.send("41")
    second = await entered(link)
    assert calls == [first]
    goes.set()
    await house.until(lambda: not house.server.manager.get_rooms(first, "/"))
    await link.send('42["message",1]')
    assert await heard(link) == ("2", "/", None, ["message-back", 1])
    assert house.server.manager.is_connected(second, "/")


async def test_the_server_says_that_it_disconnects(house: House, kind: str) -> None:
    """The client hears DISCONNECT, and its connection goes on, when the server sends it away."""
    link = await house.link(kind)
    sid = await entered(link, "/custom")
    await house.server.disconnect(sid, namespace="/custom")
    assert await heard(link) == ("1", "/custom", None, None)
    await entered(link)
