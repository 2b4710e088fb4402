"""Packets as frames: once for any number of clients, readable by the stock decoder."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from socketio import packet

from parley.server.engine import frames
from parley.server.engine.encoding import encode


def _decoded(encoded: tuple[bytes, ...]) -> Any:
    """Return the packet that python-socketio's client makes of frames."""
    text, *attachments = encoded
    assert text[0] == frames.TEXT
    payload = frames.payload_of(text).decode()
    assert payload[0] == "4"
    decoded: Any = packet.Packet(encoded_packet=payload[1:])
    for attachment in attachments:
        assert attachment[0] == frames.BINARY
        decoded.add_attachment(frames.payload_of(attachment))
    return decoded


_PLAIN: dict[str, tuple[tuple[Any, ...], bytes]] = {
    "a namespace": ((packet.CONNECT, "/custom", {"sid": "x"}), b'40/custom,{"sid":"x"}'),
    "the main namespace": ((packet.CONNECT, "/", {"sid": "x"}), b'40{"sid":"x"}'),
    "an event": ((packet.EVENT, "/", ["foo"]), b'42["foo"]'),
    "an event with an id": ((packet.EVENT, "/admin", ["foo"], 0), b'42/admin,0["foo"]'),
    "an ack": ((packet.ACK, "/admin", [], 13), b"43/admin,13[]"),
    "a disconnect": ((packet.DISCONNECT, "/admin"), b"41/admin,"),
    "the main disconnect": ((packet.DISCONNECT, "/"), b"41"),
    "characters": ((packet.EVENT, "/", ["é😀"]), '42["é😀"]'.encode()),
}


@pytest.mark.parametrize(("arguments", "payload"), _PLAIN.values(), ids=_PLAIN)
def test_a_packet_is_one_frame(arguments: tuple[Any, ...], payload: bytes) -> None:
    """It is what the protocol's document shows when there are no bytes in it."""
    assert encode(*arguments) == (frames.framed(payload),)


def test_a_packet_with_bytes_is_a_binary_one() -> None:
    """Each piece of bytes has a frame of its own, and a place, when there are some."""
    text, first, second = encode(
        packet.EVENT, "/admin", ["baz", b"\x01", {"a": bytearray(b"2")}], 7
    )
    places = b'{"_placeholder":true,"num":0},{"a":{"_placeholder":true,"num":1}}'
    assert text == frames.framed(b'452-/admin,7["baz",' + places + b"]")
    assert first == frames.framed(b"\x01", frames.BINARY)
    assert second == frames.framed(b"2", frames.BINARY)
    assert frames.payload_of(encode(packet.ACK, "/", [b""], 1)[0]).startswith(b"461-1[")


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text() | st.binary(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(
    st.sampled_from([packet.EVENT, packet.ACK]),
    st.sampled_from(["/", "/chat", "/né"]),
    st.text(min_size=1),
    st.lists(_JSON, max_size=3),
    st.none() | st.integers(min_value=1, max_value=2**53),
)
def test_the_stock_decoder_reads_what_we_write(
    kind: int, namespace: str, name: str, data: list[Any], id: int | None
) -> None:
    """Nothing is changed when python-socketio's client decodes a packet."""
    if kind == packet.ACK and id is None:
        id = 1
    decoded = _decoded(encode(kind, namespace, [name, *data], id))
    assert decoded.packet_type % 3 == kind % 3
    assert (decoded.namespace or "/", decoded.id) == (namespace, id)
    assert decoded.data == [name, *data]


def test_tuples_are_lists() -> None:
    """A tuple inside the data is a list on the wire, with bytes in it or not."""
    assert _decoded(encode(packet.EVENT, "/", ["x", (1, (2,))])).data == ["x", [1, [2]]]
    assert _decoded(encode(packet.EVENT, "/", ["x", (1, (b"2",))])).data == ["x", [1, [b"2"]]]


def test_keys_that_are_numbers_become_text() -> None:
    """A dict with numbers for keys is sent as python-socketio would send it."""
    assert _decoded(encode(packet.EVENT, "/", ["x", {1: "a"}])).data == ["x", {"1": "a"}]


@pytest.mark.parametrize("number", [2**64, -(2**64)])
def test_large_numbers_are_sent(number: int) -> None:
    """An integer beyond 64 bits is sent as python-socketio would send it."""
    assert _decoded(encode(packet.EVENT, "/", ["x", number])).data == ["x", number]


@pytest.mark.parametrize("data", [object(), {1, 2}, "\ud800", lambda: None])
def test_what_is_not_json_is_a_type_error(data: object) -> None:
    """Whoever sends it hears of it, with bytes beside it or not, when it cannot be encoded."""
    for arguments in (["x", data], ["x", b"bytes", data]):
        with pytest.raises(TypeError):
            encode(packet.EVENT, "/", arguments)


def test_moments_are_text() -> None:
    """A datetime is sent in RFC 3339, which the codec does by itself."""
    moment = datetime(2026, 1, 2, tzinfo=UTC)
    assert _decoded(encode(packet.EVENT, "/", ["x", moment])).data == [
        "x",
        "2026-01-02T00:00:00+00:00",
    ]
