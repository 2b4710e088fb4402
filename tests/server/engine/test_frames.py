"""Frames, and what they are on long polling."""

import contextlib
from typing import Any

import pytest
from aiohttp import WSMsgType
from aiohttp._websocket.reader import WebSocketDataQueue, WebSocketReader
from hypothesis import given
from hypothesis import strategies as st

from parley.server.engine import frames
from parley.server.engine.wire_json import WireJSON


class _Kept(WebSocketDataQueue):
    """Keeps the messages of a reader of aiohttp's."""

    def __init__(self) -> None:
        self.messages: list[tuple[Any, Any]] = []

    def feed_data(self, data: Any, size: int) -> None:
        """Take one message."""
        self.messages.append((data[0], data[1]))


def _read(data: bytes) -> list[tuple[Any, Any]]:
    kept = _Kept()
    WebSocketReader(kept, 0, compress=False, decode_text=False).feed_data(data)
    return kept.messages


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536, 1_000_000])
def test_a_frame_is_what_a_client_reads(size: int) -> None:
    """A reader finds the payload and its kind when a frame has any length."""
    payload = b"4" * size
    sent = frames.framed(payload) + frames.framed(payload, frames.BINARY)
    assert _read(sent) == [(WSMsgType.TEXT, payload), (WSMsgType.BINARY, payload)]
    assert frames.payload_of(frames.framed(payload)) == payload


def test_the_short_frames_are_frames() -> None:
    """The packets that are written out say what their names say."""
    short = {frames.PING: b"2", frames.PROBE_ANSWER: b"3probe", frames.NOOP: b"6"}
    assert {frame: frames.framed(payload) for frame, payload in short.items()} == {
        frame: frame for frame in short
    }


@pytest.mark.parametrize("reason", ["", "slow", "x" * 200])
def test_a_closing_frame_has_its_code_and_is_short_enough(reason: str) -> None:
    """A control frame has at most 125 bytes when the reason is longer than that."""
    frame = frames.closing(1013, reason)
    assert len(frame) <= 127
    ((kind, code),) = _read(frame)
    assert (kind, code) == (WSMsgType.CLOSE, 1013)


_PACKETS = st.lists(
    st.one_of(
        st.binary(max_size=200).map(lambda data: (data, True)),
        st.text(max_size=200)
        .filter(lambda text: "\x1e" not in text)
        .map(lambda text: (b"4" + text.encode(), False)),
    ),
    min_size=1,
)


@given(_PACKETS)
def test_a_polling_body_brings_back_its_packets(packets: list[tuple[bytes, bool]]) -> None:
    """Packets are what they were when they were frames and then a body."""
    framed = [
        frames.framed(data, frames.BINARY if binary else frames.TEXT) for data, binary in packets
    ]
    assert frames.packets_of(frames.polling_body(framed)) == packets


@given(st.one_of(st.binary(), st.text().map(str.encode), st.binary().map(lambda data: b"b" + data)))
def test_any_body_is_packets_or_a_value_error(body: bytes) -> None:
    """Nothing else is raised, and nothing is lost, whatever a client posts."""
    try:
        packets = frames.packets_of(body)
    except ValueError:
        return
    assert len(packets) == body.count(b"\x1e") + 1


@pytest.mark.parametrize(
    "body", [b"b!", b"bA", b"bAQ", b"bAQ=\n", b"b A==", b"4\xff", b"b\xc3\xa9"]
)
def test_a_body_is_refused_that_is_nearly_base64_or_text(body: bytes) -> None:
    """ValueError is raised when base64 has anything in it that does not belong there."""
    with pytest.raises(ValueError, match=r".+"):
        frames.packets_of(body)


@given(st.binary())
def test_any_bytes_are_json_or_a_value_error(data: bytes) -> None:
    """Nothing else is raised whatever a client sends as JSON."""
    with contextlib.suppress(ValueError):
        WireJSON.loads(data)
