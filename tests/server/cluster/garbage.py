"""What others may publish and a node must not follow."""

import json
from typing import Any

from parley.server.cluster.orders import MAX_ATTACHMENTS, MAX_BYTES


def said(**changes: Any) -> bytes:
    """Return an emit that is in order but for the changes."""
    fields = {"method": "emit", "event": "n", "data": [1], "binary": False, "namespace": "/chat"}
    return json.dumps(fields | changes).encode()


def deep(levels: int) -> Any:
    """Return lists in lists."""
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


PLACE = {"_placeholder": True, "num": 0}
GARBAGE = {
    "empty": b"",
    "number": b"5",
    "word": b'"method"',
    "list": b'["method"]',
    "null": b"null",
    "cut": said()[:-1],
    "not-utf8": b'{"method": "\xff"}',
    "half-a-surrogate": said(data=["\ud800"]),
    "nan": said(data=[float("nan")]),
    "beyond-64-bits": said(data=[1 << 70]),
    "pickle": b"\x80\x04\x95~\x00\x00\x00\x00\x00\x00\x00}\x94(\x8c\x06method\x94\x8c\x04emit",
    "huge": said(data=["x" * MAX_BYTES]),
    "deep": said(data=deep(40)),
    "too-deep-to-read": b'{"method":"emit","data":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "no-method": b"{}",
    "method-list": said(method=["emit"]),
    "method-unknown": said(method="__init__"),
    "callback": said(method="callback", sid="s", id=1, args=[]),
    "no-event": said(event=None),
    "event-number": said(event=5),
    "event-empty": said(event=""),
    "event-connect": said(event="connect"),
    "event-disconnect": said(event="disconnect"),
    "event-nul": said(event="a\0"),
    "namespace-number": said(namespace=5),
    "namespace-list": said(namespace=["/chat"]),
    "room-object": said(room={"a": 1}),
    "room-number": said(room=5),
    "room-lists": said(room=[["tea"]]),
    "skip-object": said(skip_sid={"a": 1}),
    "skip-lists": said(skip_sid=[["s1"]]),
    "binary-object": said(binary=True, data={"a": 1}),
    "binary-empty": said(binary=True, data=[]),
    "attachment-number": said(binary=True, data=[PLACE, 5]),
    "attachment-not-base64": said(binary=True, data=[PLACE, "?"]),
    "attachment-not-ascii": said(binary=True, data=[PLACE, "ü"]),
    "attachment-missing": said(binary=True, data=[[PLACE]]),
    "attachment-twice": said(binary=True, data=[[PLACE, PLACE], "AQ=="]),
    "attachment-unused": said(binary=True, data=[[1], "AQ=="]),
    "attachment-negative": said(binary=True, data=[{**PLACE, "num": -1}, "AQ=="]),
    "attachment-word": said(binary=True, data=[{**PLACE, "num": "0"}, "AQ=="]),
    "attachments-many": said(
        binary=True,
        data=[[{**PLACE, "num": n} for n in range(11)], *["AQ=="] * (MAX_ATTACHMENTS + 1)],
    ),
    "sid-missing": said(method="disconnect"),
    "sid-list": said(method="enter_room", sid=["s1"], room="pub"),
    "enter-nothing": said(method="enter_room", sid="s1"),
    "leave-list": said(method="leave_room", sid="s1", room=["pub"]),
    "close-nothing": said(method="close_room"),
}
