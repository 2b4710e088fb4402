"""The server asks its clients, keeps sessions for them, and sends them away."""

# pyright: standard
# (python-socketio ships without types)

import asyncio
from typing import Any

import pytest
import socketio
from aiohttp import web
from socketio.exceptions import ConnectionError as NoConnection
from socketio.exceptions import TimeoutError as NoAnswer

from parley.server.engine.server import Server
from tests.conformance.server import application
from tests.e2e.stock import TRANSPORTS, Stock, every_stock_client
from tests.engines import CALM, House
from tests.server.engine.api.conftest import Invite
from tests.server.engine.api.guests import NAMESPACE, PythonGuest

pytestmark = pytest.mark.asyncio(loop_scope="module")

in_python = pytest.mark.parametrize(
    "stock", [Stock("python", name) for name in TRANSPORTS], ids=list(TRANSPORTS)
)
"""Runs a test with the client whose answers a test can choose."""


@in_python
async def test_a_callback_gets_the_answer(invite: Invite, sio: Any) -> None:
    """It is called with what the client's handler returned, plain or a coroutine."""
    guest, sid = await invite()
    assert isinstance(guest, PythonGuest)
    answers: asyncio.Queue[Any] = asyncio.Queue()

    async def waits(*data: Any) -> None:
        await asyncio.sleep(0)
        answers.put_nowait(data)

    for answer in ("one", ("two", {"n": 2}), b"three", [4]):
        guest.answers["ask"] = answer
        for callback in (lambda *data: answers.put_nowait(data), waits):
            await sio.emit("ask", to=sid, namespace=NAMESPACE, callback=callback)
            got = await asyncio.wait_for(answers.get(), 5)
            assert got == (answer if isinstance(answer, tuple) else (answer,))


@in_python
async def test_call_returns_the_answer(invite: Invite, sio: Any) -> None:
    """The server has what one client answered, among others that are asked meanwhile."""
    guests = [await invite() for _ in range(2)]
    for n, (guest, _) in enumerate(guests):
        assert isinstance(guest, PythonGuest)
        guest.answers["ask"] = {"n": n}
    calls = [sio.call("ask", to=sid, namespace=NAMESPACE, timeout=5) for _, sid in guests]
    assert await asyncio.gather(*calls) == [{"n": 0}, {"n": 1}]


@in_python
async def test_a_handler_may_call_its_client_back(invite: Invite, sio: Any) -> None:
    """The answer reaches a handler while it handles an event of the same client."""
    guest, _ = await invite()
    assert isinstance(guest, PythonGuest)
    guest.answers["sure"] = "yes"

    async def ask(sid: str, data: Any) -> Any:
        return await sio.call("sure", to=sid, namespace=NAMESPACE, timeout=5)

    sio.on("ask", ask, namespace=NAMESPACE)
    assert await guest.ask("ask", 1) == "yes"


@in_python
async def test_call_gives_up_in_time(invite: Invite, sio: Any) -> None:
    """python-socketio's TimeoutError is raised when nobody answers, or nobody is there."""
    _, sid = await invite()
    for target in ("nobody", sid):
        if target == sid:
            await sio.disconnect(sid, namespace=NAMESPACE)
        with pytest.raises(NoAnswer):
            await sio.call("ask", to=target, namespace=NAMESPACE, timeout=0.05)


@every_stock_client
async def test_a_session_is_kept(invite: Invite, sio: Any, house: House) -> None:
    """What was saved is there in later events, per client, until the client is gone."""
    (alice, a), (_bob, b) = [await invite() for _ in range(2)]

    async def name(sid: str, data: str) -> str:
        await sio.save_session(sid, {"name": data}, namespace=NAMESPACE)
        return data

    async def add(sid: str, data: int) -> int:
        async with sio.session(sid, namespace=NAMESPACE) as session:
            session["sum"] = session.get("sum", 0) + data
        return data

    sio.on("name", name, namespace=NAMESPACE)
    sio.on("add", add, namespace=NAMESPACE)
    await alice.ask("name", "alice")
    for n in (1, 2, 3):
        await alice.ask("add", n)
    assert await sio.get_session(a, namespace=NAMESPACE) == {"name": "alice", "sum": 6}
    assert await sio.get_session(b, namespace=NAMESPACE) == {}
    await alice.close()
    await house.until(lambda: not sio.manager.is_connected(a, NAMESPACE))
    with pytest.raises(KeyError):
        await sio.get_session(a, namespace=NAMESPACE)


@every_stock_client
async def test_what_is_known_of_a_client(invite: Invite, sio: Any, stock: Stock) -> None:
    """Transport, address and rooms can be asked, and nothing of a client that is not there."""
    _, sid = await invite()
    assert sio.transport(sid, namespace=NAMESPACE) == stock.final
    assert sio.get_environ(sid, namespace=NAMESPACE)["REMOTE_ADDR"] == "127.0.0.1"
    assert sio.rooms(sid, namespace=NAMESPACE) == [sid]
    assert sio.get_environ("nobody", namespace=NAMESPACE) is None
    assert sio.rooms("nobody", namespace=NAMESPACE) == []


@every_stock_client
async def test_disconnect_sends_a_client_away(invite: Invite, sio: Any, stock: Stock) -> None:
    """It hears what was sent before, then that the server left it, and others notice nothing."""
    calls: list[tuple[str, str]] = []

    async def gone(sid: str, reason: str) -> None:
        calls.append((sid, reason))

    sio.on("disconnect", gone, namespace=NAMESPACE)
    (guest, sid), (other, _) = [await invite() for _ in range(2)]
    await sio.enter_room(sid, "tea", namespace=NAMESPACE)
    await sio.emit("last", 1, to="tea", namespace=NAMESPACE)
    await sio.disconnect(sid, namespace=NAMESPACE)
    how = await guest.event("@disconnect")
    expected = "io server disconnect" if stock.language == "javascript" else "server disconnect"
    assert how["reason"] == expected
    assert guest.heard == [("last", 1)]
    assert calls == [(sid, "server disconnect")]
    await sio.disconnect(sid, namespace=NAMESPACE)
    await sio.disconnect("nobody", namespace=NAMESPACE)
    assert len(calls) == 1
    await sio.emit("still here", namespace=NAMESPACE)
    await other.event("still here")


@every_stock_client
async def test_a_client_that_leaves_is_forgotten(invite: Invite, sio: Any, house: House) -> None:
    """The handler knows who left and why, and nothing is kept, when a client says goodbye."""
    calls: asyncio.Queue[tuple[str, str]] = asyncio.Queue()

    async def gone(sid: str, reason: str) -> None:
        calls.put_nowait((sid, reason))

    sio.on("disconnect", gone, namespace=NAMESPACE)
    guest, sid = await invite()
    await guest.close()
    # Python's client may be gone before its word has left.
    who, why = await asyncio.wait_for(calls.get(), 5)
    assert (who, why) in {(sid, "client disconnect"), (sid, "transport close")}
    await house.until(lambda: list(sio.manager.get_namespaces()) == [])
    await house.until(lambda: house.eio.sockets == {})


async def _connected(app: web.Application, namespace: str = "/") -> bool:
    """Return whether python-socketio's client can join a namespace of an application."""
    async with House.open(app) as house, socketio.AsyncSimpleClient(reconnection=False) as client:
        try:
            await client.connect(house.origin, namespace=namespace, transports=["websocket"])
        except NoConnection:
            return False
        return True


async def test_a_connect_handler_need_not_want_auth() -> None:
    """A handler of the older style, with id and environ alone, is called too."""
    sio = Server(**CALM)

    async def let_in(sid: str, environ: dict[str, Any]) -> None:
        assert environ["REMOTE_ADDR"] == "127.0.0.1"

    sio.on("connect", let_in)
    assert await _connected(application(sio, "socket.io"))


@pytest.mark.parametrize(
    ("options", "namespace", "joins"),
    [
        ({}, "/", True),
        ({}, "/other", False),
        ({"namespaces": ["/other"]}, "/other", True),
        ({"namespaces": "*"}, "/anything", True),
    ],
)
async def test_namespaces_without_handlers_are_those_of_the_option(
    options: dict[str, Any], namespace: str, joins: bool
) -> None:
    """A namespace is there when it has handlers, or the server was told of it."""
    app = application(Server(**options, **CALM), "socket.io")
    assert await _connected(app, namespace) is joins


async def test_shutdown_does_not_wait_for_clients_that_stay() -> None:
    """It stops what runs in the background, and returns, when clients are connected."""
    sio = Server(**CALM)
    sio.on("connect", lambda *_: None)
    async with House.open(application(sio, "socket.io")) as house:
        await house.websocket()
        await asyncio.wait_for(sio.shutdown(), 3)
