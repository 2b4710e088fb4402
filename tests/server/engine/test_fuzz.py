"""Whatever bytes come in, nothing breaks: a connection lives or is closed, and others live on."""

import asyncio
import contextlib
import logging
import os
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from yarl import URL

from tests.conformance.server import sockets
from tests.engines import CALM, House
from tests.links import LINKS, PollingLink, heard, join

EXAMPLES = 60
_bounded = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)

_MESSAGES = st.sampled_from(
    [
        b"40", b"41", b"40/custom,", b'42["message",1]', b'420["message-with-ack",{"a":[]}]', b"2",
        b'451-["message",{"_placeholder":true,"num":0}]', b"431[1]", b"3", b"2probe", b"5", b"1",
        b'42/custom,["message"]', b"40/unknown,", b'42["disconnect"]', b"\x1e", b"b", b"bAQID",
        b'452-["message",{"_placeholder":true,"num":1}]', b"6", b"4", b"44{}", b"0", b'40{"a":1}',
    ]
)  # fmt: skip
_PACKETS = st.one_of(
    _MESSAGES,
    st.binary(max_size=40),
    st.text(max_size=20).map(lambda text: b"4" + text.encode()),
    st.tuples(_MESSAGES, st.binary(max_size=4)).map(b"".join),
    st.tuples(_MESSAGES, st.integers(0, 8)).map(lambda cut: cut[0][: cut[1]]),
)
_FRAMES = st.one_of(
    st.tuples(st.sampled_from([0x81, 0x81, 0x81, 0x82, 0x01, 0x80, 0x89, 0x8A, 0x88]), _PACKETS),
    st.tuples(st.integers(0, 255), _PACKETS),
)


def _masked(kind: int, payload: bytes) -> bytes:
    mask = os.urandom(4)
    head = bytes((kind, 0xFE)) + len(payload).to_bytes(2, "big")
    if len(payload) < 126:
        head = bytes((kind, 0x80 | len(payload)))
    return head + mask + bytes(byte ^ mask[n % 4] for n, byte in enumerate(payload))


_STREAMS = st.one_of(
    st.lists(_FRAMES, max_size=12).map(lambda frames: b"".join(_masked(*f) for f in frames)),
    st.binary(max_size=200),
    st.tuples(st.lists(_FRAMES, max_size=6), st.binary(max_size=20)).map(
        lambda parts: b"".join(_masked(*f) for f in parts[0]) + parts[1]
    ),
)
_BODIES = st.one_of(
    st.lists(_PACKETS, min_size=1, max_size=12).map(b"\x1e".join),
    st.binary(max_size=100),
)

Attack = Callable[[House], Awaitable[None]]


def _attack(attack: Attack, caplog: pytest.LogCaptureFixture) -> None:
    """Run an attack beside a neighbour on each transport."""

    async def play() -> None:
        unhandled: list[Any] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, what: unhandled.append(what))
        async with House.open(sockets(**CALM)) as house:
            neighbours = [await house.link(kind) for kind in LINKS]
            for neighbour in neighbours:
                await join(neighbour)
                await heard(neighbour)
            await attack(house)
            for neighbour in neighbours:
                await neighbour.send('42["message",1]')
                assert await heard(neighbour) == ("2", "/", None, ["message-back", 1])
        assert unhandled == []

    caplog.clear()
    asyncio.run(play())
    assert [
        record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR
    ] == []


@_bounded
@given(st.lists(_STREAMS, min_size=1, max_size=3))
def test_any_bytes_on_a_websocket(caplog: pytest.LogCaptureFixture, streams: list[bytes]) -> None:
    """A connection is closed or answers, and nothing is logged, whatever it is sent."""

    async def attack(house: House) -> None:
        async with house.wire() as (reader, writer):
            url = URL(house.url)
            writer.write(
                f"GET {url.path}?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\n"
                "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
            )
            await reader.readuntil(b"}")
            with contextlib.suppress(ConnectionError):
                for stream in streams:
                    writer.write(stream)
                    await writer.drain()
                    await house.turn()

    _attack(attack, caplog)


@_bounded
@given(st.lists(_BODIES, min_size=1, max_size=4))
def test_any_bytes_in_a_post(caplog: pytest.LogCaptureFixture, bodies: list[bytes]) -> None:
    """A POST is taken or refused with a 4xx, and nothing is logged, whatever is in it."""

    async def attack(house: House) -> None:
        link = await house.polling()
        statuses = [(await link.post(body))[0] for body in bodies]
        assert {status // 100 for status in statuses} <= {2, 4}, statuses
        assert statuses == sorted(statuses), "a session that has ended came back"

    _attack(attack, caplog)


@_bounded
@given(st.lists(_FRAMES, max_size=5), st.lists(_BODIES, max_size=3))
def test_any_bytes_in_the_middle_of_an_upgrade(
    caplog: pytest.LogCaptureFixture, frames: list[tuple[int, bytes]], bodies: list[bytes]
) -> None:
    """Neither transport breaks the other, or logs anything, whatever comes on both."""

    async def attack(house: House) -> None:
        link = await house.polling()
        assert isinstance(link, PollingLink)
        websocket = await house.http.ws_connect(link.url.update_query(transport="websocket"))
        await websocket.send_str("2probe")
        with contextlib.suppress(ConnectionError):
            for (_, payload), body in zip(frames, [*bodies, b"3", b"3", b"3"], strict=False):
                await websocket.send_bytes(payload)
                status, _ = await link.post(body)
                assert status // 100 in (2, 4)
        await websocket.close()

    _attack(attack, caplog)
