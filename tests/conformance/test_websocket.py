"""What is particular to WebSocket (Engine.IO v4, WebSocket; RFC 6455)."""

# pyright: standard
# (python-socketio ships without types)

import asyncio
import base64
import os
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest
from yarl import URL

from parley.server.engine import frames
from tests.conformance.server import MAX_PAYLOAD
from tests.conformance.test_namespaces import entered
from tests.engines import House
from tests.links import heard

CLOSE = 0x88


@pytest.mark.parametrize("opened", ["websocket", "upgrade"])
async def test_a_second_websocket_of_a_session_is_closed(echo: House, opened: str) -> None:
    """The second one hears 1002 and the first goes on when both have the same session."""
    link = await echo.link(opened)
    await link.send("4here")
    assert await link.receive() == "4here"
    second = await echo.http.ws_connect(link.url.update_query(transport="websocket"))
    assert (await second.receive()).type is aiohttp.WSMsgType.CLOSE
    assert second.close_code == 1002
    await link.send("4still here")
    assert await link.receive() == "4still here"


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_polling_is_refused_to_a_session_on_a_websocket(echo: House, method: str) -> None:
    """A poll and a POST get 400, and the session goes on, when a WebSocket carries it."""
    link = await echo.websocket()
    url = link.url.update_query(transport="polling")
    async with echo.http.request(method, url, data=b"4x") as response:
        assert response.status == 400
    await link.send("4still here")
    assert await link.receive() == "4still here"


async def test_a_close_frame_is_answered(echo: House) -> None:
    """The server says goodbye with the same code when the client does so first."""
    link = await echo.websocket()
    await link.websocket.close(code=1001)
    assert link.websocket.close_code == 1001
    await echo.until(lambda: echo.eio.sockets == {})


async def test_a_ping_of_websocket_is_answered(echo: House) -> None:
    """Control frames are answered, and are no packets, when a client pings."""
    link = await echo.websocket()
    await link.websocket.ping(b"are you there?")
    frame = await link.websocket.receive()
    assert (frame.type, frame.data) == (aiohttp.WSMsgType.PONG, b"are you there?")
    await link.websocket.pong(b"nobody asked")
    await link.send("4hello")
    assert await link.receive() == "4hello"


def _masked(payload: bytes, kind: int = frames.TEXT, *, length: int | None = None) -> bytes:
    """Return a frame as clients send it, perhaps one that promises more than it has."""
    mask = os.urandom(4)
    if length is None and len(payload) < 126:
        head = bytes((kind, 0x80 | len(payload)))
    else:
        size = len(payload) if length is None else length
        head = bytes((kind, 0xFF)) + size.to_bytes(8, "big")
    return head + mask + bytes(byte ^ mask[n % 4] for n, byte in enumerate(payload))


BROKEN: dict[str, tuple[Callable[[], bytes], int]] = {
    "an unknown opcode": (lambda: _masked(b"4x", 0x83), 1002),
    "a reserved bit": (lambda: _masked(b"4x", 0xC1), 1002),
    "a fragment of nothing": (lambda: _masked(b"4x", 0x80), 1002),
    "a close that is too short": (lambda: _masked(b"\x03", CLOSE), 1002),
    "a close of no known code": (lambda: _masked(b"\x00\x05", CLOSE), 1002),
    "a frame that promises too much": (lambda: _masked(b"", length=MAX_PAYLOAD + 1), 1009),
    "a frame that promises everything": (lambda: _masked(b"", length=2**63 - 1), 1009),
}


@pytest.mark.parametrize(("frame", "code"), BROKEN.values(), ids=BROKEN)
async def test_a_broken_frame_ends_the_connection(
    echo: House, frame: Callable[[], bytes], code: int
) -> None:
    """The session is closed with the code that RFC 6455 has when a frame is none."""
    async with echo.wire() as (reader, writer):
        writer.write(_handshake(echo.url))
        await reader.readuntil(b"}")
        writer.write(frame())
        assert await _close_code(reader) == code
        assert echo.eio.sockets == {}


async def test_frames_in_any_segments_are_whole(echo: House) -> None:
    """Messages are what they were when the server sees their bytes one by one."""
    async with echo.wire() as (reader, writer):
        writer.write(_handshake(echo.url))
        await reader.readuntil(b"}")
        for byte in _masked(b"4hello") + _masked(b"4wor", 0x01) + _masked(b"ld", 0x80):
            writer.write(bytes((byte,)))
            await echo.turn()
        assert await reader.readexactly(16) == frames.framed(b"4hello") + frames.framed(b"4world")


async def test_fragments_that_are_too_large_together_end_the_connection(echo: House) -> None:
    """The session is closed with 1009 when a message is too large, however it is cut."""
    async with echo.wire() as (reader, writer):
        writer.write(_handshake(echo.url))
        await reader.readuntil(b"}")
        writer.write(_masked(b"4", 0x01) + _masked(b"x" * 600_000, 0x00))
        writer.write(_masked(b"x" * 600_000, 0x80))
        assert await _close_code(reader) == 1009
        assert echo.eio.sockets == {}


@pytest.mark.parametrize(
    "last",
    [_masked(b"\x03\xe8", CLOSE), _masked(b"1"), _masked(b"x")],
    ids=["a close frame", "a close packet", "a broken packet"],
)
async def test_what_follows_the_end_is_not_handled(echo: House, last: bytes) -> None:
    """Frames are dropped when they come in one segment behind the one that ended all."""
    heard: list[Any] = []

    async def message(sid: str, data: Any) -> None:
        heard.append(data)
        await echo.eio.send(sid, data)

    echo.eio.on("message", message)
    async with echo.wire() as (reader, writer):
        writer.write(_handshake(echo.url))
        await reader.readuntil(b"}")
        writer.write(_masked(b"4before") + last + _masked(b"4after") + _masked(b"x", 0x82))
        assert await reader.readexactly(9) == frames.framed(b"4before")
        await _close_code(reader)
        await echo.turn()
    assert heard == ["before"]


# On polling what waits is lost by design: clients come back and catch up.
@pytest.mark.parametrize("kind", ["websocket", "upgrade"])
async def test_what_was_sent_before_the_end_arrives_before_it(house: House, kind: str) -> None:
    """Nothing is lost on a WebSocket when the server sends to a room and closes in one step."""
    link = await house.link(kind)
    sid = await entered(link)
    await house.server.enter_room(sid, "tea")
    await house.server.emit("room", 1, to="tea")
    await house.server.emit("own", 2, to=sid)
    await house.server.emit("room", 3, to="tea")
    await house.eio.disconnect(link.opened["sid"])
    heard_ = [(await heard(link))[3] for _ in range(3)]
    assert heard_ == [["room", 1], ["own", 2], ["room", 3]]
    assert await link.ended() == 1000


@pytest.mark.parametrize("key", [b"\xff" * 24, b"\xc3\xa9" * 12])
async def test_a_key_that_is_no_ascii_gets_400(echo: House, key: bytes) -> None:
    """The handshake is refused, without a trace in the log, when its key is any bytes."""
    begin, _, _ = _handshake(echo.url).rpartition(b": ")
    async with echo.wire() as (reader, writer):
        writer.write(begin + b": " + key + b"\r\n\r\n")
        assert b" 400 " in await reader.readuntil(b"\r\n")
    assert echo.eio.sockets == {}


async def test_only_get_asks_for_an_upgrade(echo: House) -> None:
    """A WebSocket does not open for a session when its handshake is a POST."""
    polling = await echo.polling()
    query = f"transport=websocket&sid={polling.opened['sid']}".encode()
    asked = _handshake(echo.url).replace(b"transport=websocket", query)
    async with echo.wire() as (reader, writer):
        writer.write(asked.replace(b"GET ", b"POST "))
        assert b" 400 " in await reader.readuntil(b"\r\n")


async def _close_code(reader: asyncio.StreamReader) -> int:
    kind, _, *code = await reader.readexactly(4)
    assert kind == CLOSE
    return int.from_bytes(bytes(code), "big")


def _handshake(url: str) -> bytes:
    at = URL(url)
    key = base64.b64encode(os.urandom(16)).decode()
    return (
        f"GET {at.path}?EIO=4&transport=websocket HTTP/1.1\r\nHost: {at.authority}\r\n"
        f"Connection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n"
    ).encode()
