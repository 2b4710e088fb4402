"""Messages as python-socketio's managers publish them, version by version, and all the others."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parley.server.cluster.orders import (
    CloseRoom,
    Disconnect,
    Emit,
    EnterRoom,
    LeaveRoom,
    Order,
    Unusable,
    read,
)
from tests.server.cluster.garbage import GARBAGE


def emit(**more: Any) -> Emit:
    """Return what the table below has in common."""
    common: dict[str, Any] = {"namespace": "/chat", "event": "n", "rooms": ["tea"], "skip": ()}
    return Emit(**{**common, **more})


# Recorded from each version of python-socketio: 5.14.0 and 5.14.1; 5.14.2 to 5.15.0; and 5.15.1 to
# 5.18.1, which publish the same. What is ordered in other ways than by an emit never changed.
_LINES = (Path(__file__).parent / "published.txt").read_text().splitlines()
PUBLISHED = {name: text.encode() for name, text in (line.split(" ", 1) for line in _LINES)}

MEANT: dict[str, Order] = {
    "5.14.0-object": emit(arguments=({"a": 1},)),
    "5.14.0-list": emit(arguments=([1, 2],)),
    "5.14.0-nothing": emit(arguments=(), skip=["s1"]),
    "5.14.3-object": emit(arguments=({"a": 1},)),
    # The same text from 5.15.1 has two arguments, and nothing tells the two apart.
    "5.15.0-list": emit(arguments=(1, 2)),
    "5.15.0-nothing": emit(arguments=()),
    "5.15.0-bytes": emit(arguments=({"b": b"\x01\x02"},)),
    "5.18.1-object": emit(arguments=({"a": 1},)),
    "5.18.1-several": emit(arguments=("x", 2), rooms=["tea", "user:1"], skip=["s1", "s2"]),
    "5.18.1-list": emit(arguments=([1, 2],), rooms=None),
    "5.18.1-nothing": emit(arguments=(), namespace="/"),
    "5.18.1-bytes": emit(arguments=("x", b"\x01")),
    "enter_room": EnterRoom(namespace="/chat", sid="s1", room="pub"),
    "leave_room": LeaveRoom(namespace="/chat", sid="s1", room="pub"),
    "close_room": CloseRoom(namespace="/chat", room="pub"),
    "disconnect": Disconnect(namespace="/chat", sid="s1"),
}


@pytest.mark.parametrize("which", PUBLISHED)
def test_every_form_of_json_is_read(which: str) -> None:
    """What a version of python-socketio publishes means what its user meant."""
    assert read(PUBLISHED[which], own="this node") == MEANT[which]


def test_what_a_node_itself_has_published_is_passed_over() -> None:
    """Its own clients have had it."""
    for text in PUBLISHED.values():
        assert read(text, own="backend") is None


@pytest.mark.parametrize("which", GARBAGE)
def test_garbage_is_refused_in_few_words(which: str) -> None:
    """Whatever it is, the reason is short and has nothing of what was in it."""
    with pytest.raises(Unusable) as refused:
        read(GARBAGE[which], own="this node")
    assert len(str(refused.value)) < 100


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=6,
)
KEYS = ("method", "event", "data", "binary", "namespace", "room", "skip_sid", "sid", "host_id")
METHODS = ("emit", "enter_room", "leave_room", "close_room", "disconnect", "callback")


def outcome(text: bytes) -> Order | Unusable | None:
    """Read a message; what is raised is raised on purpose."""
    try:
        return read(text, own="this node")
    except Unusable as why:
        return why


@given(st.binary())
def test_any_bytes_are_an_order_or_unusable(text: bytes) -> None:
    """Nothing else comes out, so nothing ends the listener."""
    outcome(text)


@given(st.sampled_from(METHODS), st.dictionaries(st.sampled_from(KEYS), JSON))
def test_any_fields_are_an_order_or_unusable(method: str, fields: dict[str, Any]) -> None:
    """The same for objects that look like messages."""
    outcome(json.dumps({"method": method, **fields}).encode())
