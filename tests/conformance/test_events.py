"""Events, acks and their bytes go both ways (Socket.IO v5, sending and acknowledging)."""

# pyright: standard
# (python-socketio ships without types)

import asyncio
from typing import Any

import pytest

from tests.conformance.test_namespaces import entered
from tests.engines import House
from tests.links import LINKS, heard, join

pytestmark = pytest.mark.parametrize("kind", LINKS)

NAMES = {"/": "", "/custom": "/custom,"}
BYTES = '{"_placeholder":true,"num":%d}'


@pytest.mark.parametrize("namespace", NAMES)
@pytest.mark.parametrize("text", ["", ",1", ',"2",{"3":["4"]},null,true', ',"é😀\\u001e\\u2028"'])
async def test_an_event_is_handled(house: House, kind: str, namespace: str, text: str) -> None:
    """Its arguments arrive as they were when an event has any number of them."""
    link = await house.link(kind)
    await entered(link, namespace)
    await link.send(f'42{NAMES[namespace]}0["message-with-ack"{text}]')
    _, where, number, back = await heard(link)
    await link.send(f'42{NAMES[namespace]}["message"{text}]')
    assert (where, number) == (namespace, 0)
    assert await heard(link) == ("2", namespace, None, ["message-back", *back])


@pytest.mark.parametrize("number", [0, 1, 456, 2**53 - 1])
async def test_an_ack_has_the_number_of_its_event(house: House, kind: str, number: int) -> None:
    """The answer names the event, to the last digit, when one was asked for."""
    link = await house.link(kind)
    await entered(link, "/custom")
    await link.send(f'42/custom,{number}["message-with-ack",1,{{"2":[]}}]')
    assert await heard(link) == ("3", "/custom", number, [1, {"2": []}])


async def test_an_ack_without_arguments_is_an_empty_list(house: House, kind: str) -> None:
    """The answer has a payload all the same when the handler returns nothing."""
    link = await house.link(kind)
    await entered(link)
    await link.send('423["message"]', '424["message-with-ack"]')
    assert await heard(link) == ("2", "/", None, ["message-back"])
    assert await heard(link) == ("3", "/", 3, [])
    assert await heard(link) == ("3", "/", 4, [])


async def test_events_of_one_client_keep_their_order(house: House, kind: str) -> None:
    """They are answered one after the other when many are sent at once."""
    link = await house.link(kind)
    await entered(link)
    await link.send(*(f'42{n}["message-with-ack",{n}]' for n in range(100)))
    answers = [await heard(link) for _ in range(100)]
    assert answers == [("3", "/", n, [n]) for n in range(100)]


async def test_bytes_go_both_ways(house: House, kind: str) -> None:
    """Attachments come back in their places when an event has some, at any depth."""
    link = await house.link(kind)
    await entered(link)
    places = f'{BYTES % 0},{{"a":[{BYTES % 1},"text"]}},{BYTES % 0}'
    await link.send(f'452-["message",{places}]', b"\x01\x02", b"")
    first, second = b"\x01\x02", b""
    back = [first, {"a": [second, "text"]}, first]
    assert await heard(link) == ("5", "/", None, ["message-back", *back])


async def test_bytes_are_acknowledged_with_bytes(house: House, kind: str) -> None:
    """The answer is a binary ack when the handler returns bytes."""
    link = await house.link(kind)
    await entered(link, "/custom")
    await link.send(f'451-/custom,789["message-with-ack",{BYTES % 0}]', b"\x01\x02\x03")
    assert await heard(link) == ("6", "/custom", 789, [b"\x01\x02\x03"])


async def test_ten_attachments_are_not_too_many(house: House, kind: str) -> None:
    """Each finds its place, whatever the order of the places, when there are ten."""
    link = await house.link(kind)
    await entered(link)
    data = [bytes([n]) * n for n in range(10)]
    places = ",".join(BYTES % n for n in reversed(range(10)))
    await link.send(f'4510-["message",{places}]', *data)
    assert await heard(link) == ("5", "/", None, ["message-back", *data[::-1]])


async def test_an_object_that_only_looks_like_a_placeholder_stays_one(
    house: House, kind: str
) -> None:
    """It is data when an event has no attachments, or ``_placeholder`` is not true."""
    link = await house.link(kind)
    await entered(link)
    await link.send(f'42["message",{BYTES % 0}]')
    # As text it would be taken for an attachment by `heard`.
    assert await link.receive() == f'42["message-back",{BYTES % 0}]'
    await link.send(f'451-["message",{{"_placeholder":1,"num":7}},{BYTES % 0}]', b"x")
    plain = {"_placeholder": 1, "num": 7}
    assert await heard(link) == ("5", "/", None, ["message-back", plain, b"x"])


async def test_the_server_is_acknowledged(house: House, kind: str) -> None:
    """A callback gets what the client answers, once, when the server asked for it."""
    link = await house.link(kind)
    sid = await entered(link)
    answers: asyncio.Queue[tuple[Any, ...]] = asyncio.Queue()
    await house.server.emit("ask", 1, to=sid, callback=lambda *args: answers.put_nowait(args))
    kind_, _, number, data = await heard(link)
    assert (kind_, data) == ("2", ["ask", 1])
    assert number is not None
    await link.send(f'43{number}["yes",{{"n":1}}]', f'43{number}["again"]')
    assert await answers.get() == ("yes", {"n": 1})
    await link.send('42["message"]')
    await heard(link)
    assert answers.empty()


async def test_the_server_is_acknowledged_with_bytes(house: House, kind: str) -> None:
    """A callback gets the attachments of a binary ack, and both sides their bytes."""
    link = await house.link(kind)
    sid = await entered(link)
    answers: asyncio.Queue[tuple[Any, ...]] = asyncio.Queue()
    await house.server.emit("ask", b"?", to=sid, callback=lambda *args: answers.put_nowait(args))
    kind_, _, number, data = await heard(link)
    assert (kind_, data) == ("5", ["ask", b"?"])
    await link.send(f"461-{number}[{BYTES % 0}]", b"!")
    assert await answers.get() == (b"!",)


@pytest.mark.parametrize("text", ['["too","many"]', "[]", '[{"not":"it"}]'])
async def test_an_ack_that_its_callback_does_not_take_harms_nobody(
    house: House, kind: str, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The connection goes on when a callback raises: that is no fault of the client."""
    link = await house.link(kind)
    sid = await entered(link)

    def answered(number: int) -> None:
        raise ValueError(number)

    await house.server.emit("ask", to=sid, callback=answered)
    _, _, number, _ = await heard(link)
    await link.send(f"43{number}{text}", '42["message",1]')
    assert await heard(link) == ("2", "/", None, ["message-back", 1])
    caplog.clear()


@pytest.mark.parametrize("ack", ['430["x"]', '43["x"]'])
async def test_an_ack_of_nothing_ends_the_connection(house: House, kind: str, ack: str) -> None:
    """The forger is closed, and later calls to others work, when an ack has no number or 0."""
    link, other = await house.link(kind), await house.link(kind)
    sids = [await entered(link), await entered(other)]
    await house.server.emit("ask", to=sids[0], callback=lambda *_: None)
    await link.send(ack)
    await link.ended()
    answers: asyncio.Queue[tuple[Any, ...]] = asyncio.Queue()
    await house.server.emit("ask", to=sids[1], callback=lambda *args: answers.put_nowait(args))
    _, _, number, _ = await heard(other)
    await other.send(f"43{number}[1]")
    assert await answers.get() == (1,)


async def test_an_ack_that_nobody_waits_for_is_ignored(house: House, kind: str) -> None:
    """The connection goes on when a client acknowledges what it was never asked."""
    link = await house.link(kind)
    await entered(link)
    await link.send("439999[1]", '42["message",1]')
    assert await heard(link) == ("2", "/", None, ["message-back", 1])


async def test_a_client_cannot_answer_for_another(house: House, kind: str) -> None:
    """A callback is not called when somebody else acknowledges its number."""
    link, other = await house.link(kind), await house.link(kind)
    sid = await entered(link)
    await join(other)
    answers: list[tuple[Any, ...]] = []
    await house.server.emit("ask", to=sid, callback=lambda *args: answers.append(args))
    _, _, number, _ = await heard(link)
    await other.send(f'43{number}["forged"]', '420["message-with-ack"]')
    await heard(other)
    assert await heard(other) == ("3", "/", 0, [])
    assert answers == []


async def test_an_event_without_a_handler_is_not_answered(house: House, kind: str) -> None:
    """The connection goes on when nobody handles an event."""
    link = await house.link(kind)
    await entered(link)
    await link.send('427["nobody"]', '42["message",1]')
    assert await heard(link) == ("2", "/", None, ["message-back", 1])
