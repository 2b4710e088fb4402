"""Handlers of a `Server` are those of python-socketio, whatever carries the client."""

# pyright: standard
# (python-socketio ships without types)

import asyncio
from typing import Any

import pytest
import socketio

from tests.e2e.stock import every_stock_client
from tests.server.engine.api.conftest import Invite
from tests.server.engine.api.guests import NAMESPACE, Guest, as_bytes

pytestmark = [pytest.mark.asyncio(loop_scope="module"), every_stock_client]


async def test_what_a_handler_returns_is_the_ack(invite: Invite, sio: Any) -> None:
    """A client gets the answer of the handler, of any kind, when it asked for one."""
    guest, _ = await invite()

    async def echo(sid: str, data: Any) -> Any:
        return data

    def plain(sid: str, data: Any) -> Any:
        return data

    sio.on("echo", echo, namespace=NAMESPACE)
    sio.on("plain", plain, namespace=NAMESPACE)
    values: list[Any] = ["text", 0, [], {"a": [None]}]
    for data in values:
        assert await guest.ask("echo", data) == data
        assert await guest.ask("plain", data) == data


async def test_bytes_are_handled_and_answered(invite: Invite, sio: Any) -> None:
    """A handler gets bytes and may answer with bytes."""
    guest, _ = await invite()
    got: list[Any] = []

    async def turn(sid: str, data: Any) -> Any:
        got.append(data)
        return {"back": data["raw"][::-1]}

    sio.on("turn", turn, namespace=NAMESPACE)
    raw: Any = b"\x01\x02" if hasattr(guest, "io") else {"@bytes": [1, 2]}
    ack = await guest.ask("turn", {"raw": raw})
    assert got == [{"raw": b"\x01\x02"}]
    assert as_bytes(ack) == {"back": b"\x02\x01"}


async def test_events_of_a_client_are_handled_one_after_the_other(invite: Invite, sio: Any) -> None:
    """The second handler begins when the first is through, and acks come in order."""
    guest, _ = await invite()
    notes: list[str] = []
    goes = asyncio.Event()

    async def slow(sid: str, data: int) -> int:
        notes.append(f"{data}(")
        if data == 0:
            await goes.wait()
        notes.append(f"{data})")
        return data

    async def go(sid: str, data: Any) -> str:
        goes.set()
        return "went"

    sio.on("slow", slow, namespace=NAMESPACE)
    sio.on("go", go, namespace=NAMESPACE)
    other, _ = await invite()
    burst = asyncio.ensure_future(_burst(guest))
    await other.ask("go", 1)
    assert await burst == list(range(5))
    assert notes == [f"{n}{sign}" for n in range(5) for sign in "()"]


async def test_a_handler_that_raises_costs_nothing_but_its_ack(
    invite: Invite, sio: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """The next event of the same client is handled, and the failure is logged."""
    guest, _ = await invite()

    async def fails(sid: str, data: Any) -> None:
        raise RuntimeError("a bug of the application")

    async def works(sid: str, data: Any) -> str:
        return "works"

    sio.on("fails", fails, namespace=NAMESPACE)
    sio.on("works", works, namespace=NAMESPACE)
    await guest.emit("fails", 1)
    assert await guest.ask("works", 1) == "works"
    assert any("a bug of the application" in (record.exc_text or "") for record in caplog.records)


async def test_a_catch_all_handler_gets_what_no_other_wants(invite: Invite, sio: Any) -> None:
    """It is told the name of the event, and reserved names do not reach it."""
    guest, sid = await invite()
    got: list[Any] = []

    async def anything(event: str, sid: str, data: Any) -> str:
        got.append((event, sid, data))
        return "caught"

    sio.on("*", anything, namespace=NAMESPACE)
    assert await guest.ask("whatever", {"n": 1}) == "caught"
    assert got == [("whatever", sid, {"n": 1})]


async def test_a_class_of_handlers_works_like_functions(invite: Invite, sio: Any) -> None:
    """The methods of a namespace class are called, and its own emits stay in its namespace."""

    class Room(socketio.AsyncNamespace):  # type: ignore[misc]  # socketio is untyped
        """Answers and says it to others."""

        async def on_say(self, sid: str, data: Any) -> str:
            """Tell the others."""
            await self.emit("said", data, skip_sid=sid)
            return "told"

    sio.register_namespace(Room(NAMESPACE))
    (alice, _), (bob, _) = await invite(), await invite()
    assert await alice.ask("say", "hello") == "told"
    assert await bob.event("said") == "hello"
    assert alice.heard == []


async def test_handlers_of_two_clients_may_wait_for_the_same(invite: Invite, sio: Any) -> None:
    """Both go on when one future is done that the handlers of two clients wait for."""
    guests = [(await invite())[0] for _ in range(3)]
    shared: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    waiting: list[str] = []

    async def wait(sid: str, data: Any) -> str:
        waiting.append(sid)
        if len(waiting) == len(guests):
            asyncio.get_running_loop().call_soon(shared.set_result, "done")
        return await shared

    sio.on("wait", wait, namespace=NAMESPACE)
    answers = await asyncio.gather(*(guest.ask("wait", 1) for guest in guests))
    assert answers == ["done"] * 3


async def _burst(guest: Guest) -> list[Any]:
    acks: list[Any] = await guest.burst([("slow", n) for n in range(5)])
    return acks
