"""The server pings, the client answers (Engine.IO v4, heartbeat)."""

# pyright: reportPrivateUsage=false

import itertools
import time
from collections.abc import AsyncIterator

import pytest

from tests.conformance.server import engine
from tests.engines import CALM, House
from tests.links import LINKS, Closed, Packet, PollingLink

INTERVAL_S, TIMEOUT_S = 0.2, 0.3
AT_ONCE_S = 5.0  # for a server that has a minute

every_link = pytest.mark.parametrize("kind", LINKS)


@pytest.fixture
async def lively() -> AsyncIterator[House]:
    """Return a server with a quick heartbeat."""
    times = {**CALM, "ping_interval": INTERVAL_S, "ping_timeout": TIMEOUT_S}
    async with House.open(engine(**times)) as house:
        yield house


@pytest.fixture
async def patient() -> AsyncIterator[House]:
    """Return a server that pings often and waits long for the answer."""
    async with House.open(engine(**{**CALM, "ping_interval": 0.1})) as house:
        yield house


@every_link
async def test_a_client_that_answers_stays(lively: House, kind: str) -> None:
    """The next ping comes an interval after the last answer when the client answers."""
    link = await lively.link(kind)
    for _ in range(4):
        started = time.monotonic()
        assert await link.receive() == "2"
        assert time.monotonic() - started > INTERVAL_S / 2
        await link.send("3")
    await link.send("4hello")
    assert await link.receive() == "4hello"


@every_link
async def test_a_client_that_does_not_answer_is_closed(lively: House, kind: str) -> None:
    """The session ends, with 1001 on a WebSocket, when a ping was not answered in time."""
    link = await lively.link(kind)
    assert await link.receive() == "2"
    pinged = time.monotonic()
    with pytest.raises(Closed) as closed:
        await link.receive()
    assert closed.value.code == (None if kind == "polling" else 1001)
    assert TIMEOUT_S * 0.8 < time.monotonic() - pinged < AT_ONCE_S
    assert lively.eio.sockets == {}


@every_link
async def test_talking_is_no_answer(lively: House, kind: str) -> None:
    """The session ends when a client sends messages and does not answer its ping."""
    link = await lively.link(kind)
    heard: list[Packet] = []

    async def talk() -> None:
        while True:
            await link.send("4busy")
            heard.append(await link.receive())

    with pytest.raises(Closed):
        await talk()
    assert heard.count("2") == 1


async def test_a_client_that_does_not_poll_is_forgotten(lively: House) -> None:
    """The session ends when nobody fetches its ping."""
    await lively.polling()
    await lively.until(lambda: lively.eio.sockets == {})


@every_link
async def test_answers_that_nobody_asked_for_change_nothing(lively: House, kind: str) -> None:
    """Pings come as often as before when pongs come without a ping."""
    link = await lively.link(kind)
    await link.send(*["3"] * 500, "4hello")
    assert await link.receive() == "4hello"
    assert len(lively.eio.times.pings._queue) == 1
    pinged: list[float] = []
    for _ in range(3):
        assert await link.receive() == "2"
        pinged.append(time.monotonic())
        await link.send("3", "3", "3")
    assert min(after - before for before, after in itertools.pairwise(pinged)) > INTERVAL_S / 2


BROKEN = ["x", "", "2", "0{}", "5"]


@every_link
@pytest.mark.parametrize("packet", BROKEN)
async def test_who_breaks_the_protocol_is_closed_at_once(
    patient: House, kind: str, packet: str
) -> None:
    """The session does not wait for a ping timeout of a minute when its client is alive."""
    link = await patient.link(kind)
    assert await link.receive() == "2"
    await link.send("3")
    started = time.monotonic()
    await link.send(packet)
    assert await link.ended() == (None if kind == "polling" else 1002)
    assert patient.eio.sockets == {}
    assert time.monotonic() - started < AT_ONCE_S


async def test_a_body_that_is_broken_closes_at_once(patient: House) -> None:
    """The session does not wait for a ping timeout when its last POST was no packets."""
    link = await patient.polling()
    assert isinstance(link, PollingLink)
    assert await link.receive() == "2"
    await link.send("3")
    started = time.monotonic()
    assert (await link.post(b"b!!!"))[0] == 400
    assert patient.eio.sockets == {}
    assert time.monotonic() - started < AT_ONCE_S


async def test_the_heart_goes_on_beating_over_an_upgrade(lively: House) -> None:
    """A ping that long polling did not fetch comes over the WebSocket, and once, when it can."""
    polling = await lively.polling()
    await lively.until(lambda: next(iter(lively.eio.sockets.values())).awaits_pong)
    link = await lively.upgrade(polling)
    assert await link.receive() == "2"
    await link.send("3", "4hello")
    assert await link.receive() == "4hello"
    assert await link.receive() == "2"
