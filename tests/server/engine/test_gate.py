"""What comes through the gate is a whole, well-formed packet; anything else is `BrokenPacket`."""

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from socketio import packet

from parley.server.engine import gate
from parley.server.engine.gate import BrokenPacket, Packet

PLACE = b'{"_placeholder":true,"num":%d}'


def _connection() -> Any:
    """Return what the gate needs of a connection: a place for half a packet."""
    return SimpleNamespace(incomplete=None)


def _take(*messages: bytes | str, connection: Any = None) -> Packet | None:
    """Send messages through the gate, text as text, and return what the last one made."""
    connection = connection or _connection()
    taken = None
    for message in messages:
        binary = isinstance(message, bytes)
        data = message if isinstance(message, bytes) else message.encode()
        taken = gate.take(connection, data, binary=binary)
        assert (taken is None) is (connection.incomplete is not None)
    return taken


_WHOLE: dict[str, tuple[str, tuple[int, str, int | None, Any]]] = {
    "connect": ("0", (packet.CONNECT, "/", None, None)),
    "connect with a payload": ('0{"token":"123"}', (packet.CONNECT, "/", None, {"token": "123"})),
    "connect elsewhere": ("0/admin,", (packet.CONNECT, "/admin", None, None)),
    "connect without a comma": ("0/admin", (packet.CONNECT, "/admin", None, None)),
    "connect by name": ("0/,", (packet.CONNECT, "/", None, None)),
    "connect with a query": ("0/admin?a=b,{}", (packet.CONNECT, "/admin", None, {})),
    "disconnect": ("1", (packet.DISCONNECT, "/", None, None)),
    "disconnect elsewhere": ("1/admin,", (packet.DISCONNECT, "/admin", None, None)),
    "event": ('2["foo"]', (packet.EVENT, "/", None, ["foo"])),
    "event with an id": ('212["foo",{"a":[]}]', (packet.EVENT, "/", 12, ["foo", {"a": []}])),
    "event with id 0": ('2/a,0["foo"]', (packet.EVENT, "/a", 0, ["foo"])),
    "event in Chinese": ('2/茶,["é"]', (packet.EVENT, "/茶", None, ["é"])),
    "ack": ('3/admin,13["bar"]', (packet.ACK, "/admin", 13, ["bar"])),
    "ack of nothing": ("31[]", (packet.ACK, "/", 1, [])),
}


@pytest.mark.parametrize(("text", "whole"), _WHOLE.values(), ids=_WHOLE)
def test_a_packet_is_taken_apart(text: str, whole: tuple[int, str, int | None, Any]) -> None:
    """Type, namespace, id and data are found when a packet is whole."""
    taken = _take(text)
    assert taken is not None
    assert (taken.kind, taken.namespace, taken.id, taken.data) == whole
    assert taken.size == len(text.encode())


def test_attachments_find_their_places() -> None:
    """The packet is whole, and its size counts all, when the last attachment is there."""
    text = '52-/admin,7["baz",{"a":{"_placeholder":true,"num":1}},{"_placeholder":true,"num":0}]'
    taken = _take(text, b"\x01", b"\x02\x03")
    assert taken is not None
    assert (taken.kind, taken.namespace, taken.id) == (packet.BINARY_EVENT, "/admin", 7)
    assert taken.data == ["baz", {"a": b"\x02\x03"}, b"\x01"]
    assert taken.size == len(text) + 3


def test_a_place_in_an_attachment_is_only_bytes() -> None:
    """An attachment is not looked into when it looks like a packet itself."""
    taken = _take('51-["x",{"_placeholder":true,"num":0}]', PLACE % 0)
    assert taken is not None
    assert taken.data == ["x", PLACE % 0]


@pytest.mark.parametrize(
    "number", ["-1", "2", "true", "false", "null", '"0"', "0.0", "[]", "1e400", "9" * 30]
)
def test_a_wrong_place_is_broken(number: str) -> None:
    """The packet is refused when a placeholder names no attachment that is there."""
    with pytest.raises(BrokenPacket):
        _take(f'52-["x",{{"_placeholder":true,"num":{number}}}]', b"1", b"2")


@pytest.mark.parametrize(
    "messages",
    [
        ("",), ("4{}",), ("7",), ("x",), ("2",), ("2{}",), ('2"x"',), ("3[]",), ("30[]",),
        ("31{}",), ("31",),
        ('1["x"]',), ('5["x"]',), ('50-["x"]',), ('511-["x"]',), ('5999999999-["x"]',),
        ('21-["x"]',), ("2" + "9" * 17 + "[]",), ("2/" + "n" * 300 + ',["x"]',), ("2[" * 60_000,),
        (b"1",), ('51-["x"]', "text"), ('52-["x"]', b"1", '2["x"]'), ('2["x"]\x00',), ('2 ["x"',),
        ('2["x"] 2',), ('\uff12["x"]',), ('2\u0663["x"]',),
    ],
)  # fmt: skip
def test_what_is_no_packet_is_broken(messages: tuple[bytes | str, ...]) -> None:
    """Nothing comes through, and nothing is kept, when a message is no packet."""
    connection = _connection()
    with pytest.raises(BrokenPacket):
        _take(*messages, connection=connection)
    assert connection.incomplete is None


def test_the_gate_is_open_again_after_a_broken_packet() -> None:
    """The next packet is taken when one before it was not."""
    connection = _connection()
    assert gate.take(connection, b'52-["x"]', binary=False) is None
    with pytest.raises(BrokenPacket):
        gate.take(connection, b"text", binary=False)
    taken = gate.take(connection, b'2["y"]', binary=False)
    assert taken is not None
    assert taken.data == ["y"]


_HEADS = st.from_regex(rb"\A[0-9]([0-9]{0,3}-)?(/[a-z?,]{0,4},?)?[0-9]{0,4}\Z")
_TAILS = st.one_of(
    st.binary(max_size=30),
    st.sampled_from(
        [b"[]", b'["x"]', b'["x",{"_placeholder":true,"num":0}]', b"{}", b"", b"[" * 5_000]
    ),
)
_MESSAGES = st.one_of(
    st.tuples(st.tuples(_HEADS, _TAILS).map(b"".join), st.just(value=False)),
    st.tuples(st.binary(max_size=30), st.booleans()),
)


@given(st.lists(_MESSAGES, max_size=6))
def test_any_messages_are_packets_or_broken(messages: list[tuple[bytes, bool]]) -> None:
    """Nothing but `BrokenPacket` is raised, and what comes through is well formed."""
    connection: Any = _connection()
    for data, binary in messages:
        try:
            taken = gate.take(connection, data, binary=binary)
        except BrokenPacket:
            assert connection.incomplete is None
            continue
        if taken is None:
            assert isinstance(connection.incomplete, Packet)
            assert 0 < connection.incomplete.missing <= gate.MAX_ATTACHMENTS
            continue
        assert taken.kind in {0, 1, 2, 3, 5, 6}
        assert taken.namespace.startswith("/")
        assert taken.missing == 0
        if taken.kind in (packet.EVENT, packet.BINARY_EVENT, packet.ACK, packet.BINARY_ACK):
            assert isinstance(taken.data, list)
        if taken.kind in (packet.ACK, packet.BINARY_ACK):
            assert taken.id
