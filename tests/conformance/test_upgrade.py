"""A WebSocket takes over from long polling (Engine.IO v4, upgrade)."""

# pyright: standard
# (python-socketio ships without types)

import asyncio

import aiohttp
import pytest

from tests.engines import House
from tests.links import NOOP, WAIT_S, Packet, PollingLink, UpgradedLink, packets_in


async def test_a_probe_is_answered_and_ends_the_poll(echo: House) -> None:
    """The poll that waits brings a noop, and the probe its answer, when a client upgrades."""
    polling = await echo.polling()
    poll = asyncio.ensure_future(polling.poll())
    await echo.turn()
    websocket = await _dial(echo, polling)
    await websocket.send_str("2probe")
    assert await websocket.receive_str() == "3probe"
    assert await poll == (200, NOOP)
    await websocket.send_str("5")
    await websocket.send_str("4hello")
    assert await websocket.receive_str() == "4hello"


async def test_polls_wait_for_nothing_while_a_client_upgrades(echo: House) -> None:
    """A poll is answered at once when a probe was, so that the client can go on."""
    polling = await echo.polling()
    websocket = await _dial(echo, polling)
    await websocket.send_str("2probe")
    assert await websocket.receive_str() == "3probe"
    assert await polling.poll() == (200, NOOP)
    assert await polling.post(b"4hello") == (200, "ok")
    assert await polling.poll() == (200, "4hello")


async def test_what_waits_leaves_over_the_websocket(echo: House) -> None:
    """What no poll has fetched comes first when the WebSocket takes over."""
    polling = await echo.polling()
    await polling.send(*(f"4{n}" for n in range(40)), b"\x00\x01")
    link = await echo.upgrade(polling)
    await link.send("4last")
    expected: list[Packet] = [*(f"4{n}" for n in range(40)), b"\x00\x01", "4last"]
    assert await link.up_to("4last") == expected
    assert (await polling.poll())[0] == 400


@pytest.mark.parametrize("polls", [0, 1, 3])
async def test_a_burst_in_the_middle_of_an_upgrade_keeps_its_order(echo: House, polls: int) -> None:
    """Nothing is lost and nothing overtakes when a client sends before, during and after."""
    polling = await echo.polling()
    sent = [f"4{n}" for n in range(150)]
    await polling.send(*sent[:50])
    websocket = await _dial(echo, polling)
    await websocket.send_str("2probe")
    assert await websocket.receive_str() == "3probe"
    await polling.send(*sent[50:100])
    heard: list[Packet] = []
    for _ in range(polls):
        heard += packets_in((await polling.poll())[1])
    for packet in ["5", *sent[100:]]:
        await websocket.send_str(packet)
    while not heard or heard[-1] != sent[-1]:
        heard.append(await websocket.receive_str(timeout=WAIT_S))
    assert heard == sent


async def test_what_the_server_sends_in_the_middle_of_an_upgrade_arrives(echo: House) -> None:
    """The server's own messages keep their order when it sends at each step of an upgrade."""
    polling = await echo.polling()
    sid = polling.opened["sid"]
    sent = [f"4{n}" for n in range(160)]

    async def send(first: int) -> None:
        for packet in sent[first : first + 40]:
            await echo.eio.send(sid, packet[1:])

    await send(0)
    heard = packets_in((await polling.poll())[1])
    poll = asyncio.ensure_future(polling.poll())
    websocket = await _dial(echo, polling)
    await send(40)
    await websocket.send_str("2probe")
    await send(80)
    assert await websocket.receive_str() == "3probe"
    heard += packets_in((await poll)[1])
    await websocket.send_str("5")
    await send(120)
    while heard[-1] != sent[-1]:
        heard.append(await websocket.receive_str(timeout=WAIT_S))
    assert heard == sent


@pytest.mark.parametrize(
    "frames", [[], ["2probe"], ["x"], ["5"], ["2probe", "x"], ["2probe", "2probe"], ["4hello"]]
)
async def test_polling_goes_on_when_an_upgrade_is_abandoned(echo: House, frames: list[str]) -> None:
    """Polls wait and bring messages as before when the WebSocket was lost half-way."""
    polling = await echo.polling()
    websocket = await _dial(echo, polling)
    for frame in frames:
        await websocket.send_str(frame)
    await websocket.close()
    await echo.until(lambda: not next(iter(echo.eio.sockets.values())).probing)
    poll = asyncio.ensure_future(polling.poll())
    await echo.turn()
    assert not poll.done()
    await polling.send("4hello")
    assert await poll == (200, "4hello")
    link = await echo.upgrade(polling)  # and it may try again
    await link.send("4hello")
    assert await link.receive() == "4hello"


@pytest.mark.parametrize("frame", ["x", "5", "4hello", "3", "2", "", b"hello", b""])
async def test_a_websocket_that_carries_nothing_yet_says_nothing_but_a_probe(
    echo: House, frame: Packet
) -> None:
    """It alone is closed, with 1002, and nothing is handled when it begins with anything else."""
    polling = await echo.polling()
    link = UpgradedLink(echo.http, echo.url)
    link.url = polling.url
    await link.dial()
    await link.send(frame)
    assert await link.ended() == 1002
    await polling.send("4still here")
    assert await polling.receive() == "4still here"


async def test_only_one_of_two_websockets_takes_over(echo: House) -> None:
    """The second one is closed when both were answered and the first has taken over."""
    polling = await echo.polling()
    first, second = [await _dial(echo, polling) for _ in range(2)]
    for websocket in (first, second):
        await websocket.send_str("2probe")
        assert await websocket.receive_str() == "3probe"
    await first.send_str("5")
    await first.send_str("4hello")
    assert await first.receive_str() == "4hello"
    await second.send_str("5")
    assert (await second.receive()).type is aiohttp.WSMsgType.CLOSE
    assert second.close_code == 1002
    await first.send_str("4still here")
    assert await first.receive_str() == "4still here"


async def test_a_session_that_ends_takes_its_upgrade_with_it(echo: House) -> None:
    """The WebSocket is closed at once when the session that it wants to carry has ended."""
    polling = await echo.polling()
    websocket = await _dial(echo, polling)
    await websocket.send_str("2probe")
    assert await websocket.receive_str() == "3probe"
    await polling.leave()
    frame = await websocket.receive(timeout=2.0)
    assert frame.type is aiohttp.WSMsgType.CLOSE


async def test_an_upgrade_that_never_comes_does_not_hold_up_the_end(echo: House) -> None:
    """The server has ended in a few seconds when a WebSocket was opened and says nothing."""
    polling = await echo.polling()
    websocket = await _dial(echo, polling)
    await echo.eio.disconnect()
    await asyncio.wait_for(echo.eio.shutdown(), 5)
    await websocket.close()


async def _dial(house: House, polling: PollingLink) -> aiohttp.ClientWebSocketResponse:
    return await house.http.ws_connect(polling.url.update_query(transport="websocket"))
