"""A connect handler lets a client in, or not, and takes its time (Socket.IO v5, connection)."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from socketio.exceptions import ConnectionRefusedError as Refused

from tests.conformance.test_namespaces import entered
from tests.engines import House
from tests.links import LINKS, Link, WebSocketLink, heard

pytestmark = pytest.mark.parametrize("kind", LINKS)

OVERLOADED = 1013


class Doorman:
    """The handlers of the namespace ``/slow``; connect waits until it is told what to do."""

    def __init__(self, house: House) -> None:
        self.calls: list[tuple[str, ...]] = []
        self.asked = asyncio.Event()
        self.verdict: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        for name in ("connect", "disconnect", "event"):
            house.server.on(name, getattr(self, name), namespace="/slow")

    async def connect(self, sid: str, environ: dict[str, Any], auth: Any) -> Any:
        """Wait for the verdict."""
        self.calls.append(("connect", sid))
        self.asked.set()
        return await self.verdict

    async def disconnect(self, sid: str, reason: str) -> None:
        """Note who left."""
        self.calls.append(("disconnect", sid))

    async def event(self, sid: str) -> None:
        """Note who spoke."""
        self.calls.append(("event", sid))

    @property
    def names(self) -> list[str]:
        """Return what was called."""
        return [name for name, *_ in self.calls]


REFUSALS: dict[str, tuple[Callable[[Doorman], None], Any]] = {
    "false": (
        lambda doorman: doorman.verdict.set_result(False),
        {"message": "Connection rejected by server"},
    ),
    "a refusal": (
        lambda doorman: doorman.verdict.set_exception(Refused("not you", {"code": 7})),
        {"message": "not you", "data": {"code": 7}},
    ),
    "a refusal of several things": (
        lambda doorman: doorman.verdict.set_exception(Refused("not you", 1, "2")),
        {"message": "not you", "data": [1, "2"]},
    ),
}


@pytest.mark.parametrize(("refuse", "told"), REFUSALS.values(), ids=REFUSALS)
async def test_a_refused_client_hears_why(
    house: House, kind: str, refuse: Callable[[Doorman], None], told: Any
) -> None:
    """It is told, no disconnect follows, and it may go on, when the handler refuses it."""
    doorman, link = Doorman(house), await house.link(kind)
    refuse(doorman)
    await link.send("40/slow,")
    assert await heard(link) == ("4", "/slow", None, told)
    assert list(house.server.manager.get_namespaces()) == []
    await entered(link)
    assert doorman.names == ["connect"]


async def test_a_handler_that_raises_sends_the_client_away(
    house: House, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The connection ends so that its client comes back, and others stay, when connect fails."""
    doorman, neighbour, link = Doorman(house), await house.link(kind), await house.link(kind)
    await entered(neighbour)
    await entered(link)
    doorman.verdict.set_exception(RuntimeError("no database"))
    await link.send("40/slow,")
    assert await link.ended() == (None if kind == "polling" else OVERLOADED)
    assert [record.exc_text or "" for record in caplog.records if record.exc_info] != []
    caplog.clear()
    assert doorman.names == ["connect"]
    assert list(house.server.manager.get_namespaces()) == ["/"]
    await neighbour.send('42["message",1]')
    assert await heard(neighbour) == ("2", "/", None, ["message-back", 1])


async def _say_close(link: Link) -> None:
    await link.leave()


async def _say_disconnect(link: Link) -> None:
    await link.send("41/slow,")


async def _say_nonsense(link: Link) -> None:
    await link.send("x")


async def _go(link: Link) -> None:
    if isinstance(link, WebSocketLink):
        await link.websocket.close()
    else:
        await link.leave()


LEAVING = {
    "close": _say_close,
    "disconnect": _say_disconnect,
    "nonsense": _say_nonsense,
    "no word": _go,
}
VERDICTS: dict[str, tuple[Callable[[Doorman], None], list[str]]] = {
    "let in": (lambda doorman: doorman.verdict.set_result(None), ["connect", "disconnect"]),
    "refused": (lambda doorman: doorman.verdict.set_result(False), ["connect"]),
    "failed": (lambda doorman: doorman.verdict.set_exception(OSError()), ["connect"]),
}


@pytest.mark.parametrize("leave", LEAVING.values(), ids=LEAVING)
@pytest.mark.parametrize(("decide", "calls"), VERDICTS.values(), ids=VERDICTS)
async def test_who_leaves_while_connect_runs_is_forgotten(
    house: House,
    kind: str,
    leave: Callable[[Link], Awaitable[None]],
    decide: Callable[[Doorman], None],
    calls: list[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Disconnect is called exactly when connect let the client in, and nothing is left of it."""
    doorman, link = Doorman(house), await house.link(kind)
    connection = house.eio.sockets[link.opened["sid"]]
    await link.send("40/slow,")
    await doorman.asked.wait()
    await leave(link)
    if leave is _say_disconnect:
        await house.turn()
    else:
        await house.until(lambda: connection.closed)
    decide(doorman)
    await house.turn()
    await house.turn()
    assert list(house.server.manager.get_namespaces()) == []
    assert doorman.names == calls
    assert len({sid for _, sid in doorman.calls}) == 1
    caplog.clear()


async def test_who_is_not_let_in_yet_hears_nothing(house: House, kind: str) -> None:
    """What goes to a whole namespace is not for a client whose connect handler still runs."""
    doorman, link = Doorman(house), await house.link(kind)
    await link.send("40/slow,")
    await doorman.asked.wait()
    assert not house.server.manager.is_connected(doorman.calls[0][1], "/slow")
    await house.server.emit("secret", namespace="/slow")
    await house.server.emit("secret", namespace="/slow", skip_sid="somebody")
    await house.server.emit("secret", b"!", namespace="/slow")
    doorman.verdict.set_result(None)
    assert (await heard(link))[0] == "0"
    await house.server.emit("open", namespace="/slow")
    assert (await heard(link))[3] == ["auth", {}]
    assert await heard(link) == ("2", "/slow", None, ["open"])


async def test_who_is_not_let_in_yet_is_not_heard(house: House, kind: str) -> None:
    """Events are dropped when they come before their client was let in."""
    doorman, link = Doorman(house), await house.link(kind)
    await link.send("40/slow,", '42/slow,1["event"]')
    await doorman.asked.wait()
    doorman.verdict.set_result(None)
    assert (await heard(link))[0] == "0"
    assert (await heard(link))[3] == ["auth", {}]
    await link.send('42/slow,2["event"]')
    assert await heard(link) == ("3", "/slow", 2, [])
    assert doorman.names == ["connect", "event"]


async def test_a_slow_namespace_does_not_stop_another(house: House, kind: str) -> None:
    """A client talks in one namespace while it waits to be let into another."""
    doorman, link = Doorman(house), await house.link(kind)
    await link.send("40/slow,")
    await doorman.asked.wait()
    await entered(link)
    await link.send('42["message",1]')
    assert await heard(link) == ("2", "/", None, ["message-back", 1])
    doorman.verdict.set_result(None)
    assert (await heard(link))[:2] == ("0", "/slow")


async def test_a_second_connect_is_broken_while_the_first_runs(house: House, kind: str) -> None:
    """The connection ends, and its handler is not called twice, when a client is impatient."""
    doorman, link = Doorman(house), await house.link(kind)
    await link.send("40/slow,", "40/slow,")
    await link.ended()
    doorman.verdict.set_result(None)
    await house.turn()
    assert doorman.names == ["connect", "disconnect"]
