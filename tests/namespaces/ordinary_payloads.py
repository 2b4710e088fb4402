"""Payloads of the hot events as they come all day."""

from typing import Any

ROOM, CLIENT, MESSAGE = "6b03d82fcb6048fa857eefb8", "01HZX3W9A1", "6b03d82fcb6048fa857eefb9"
SAID = {"room_id": ROOM, "client_id": CLIENT}
_CONTENTS: list[dict[str, Any]] = [
    {"text": "hello"},
    {"text": "Grüße 👍"},
    {"text": "x" * 4_000, "reply_to": MESSAGE, "mentions": ["bob", "carol@example.org"]},
    {
        "text": "@bob",
        "metadata": {"app": {"n": [1, 1.5, None, True, "one"]}},
        "message_type": "text",
    },
    {"message_type": "image", "image": "https://example.org/cat.png", "text": "my cat"},
    {"file": "http://example.org/a.pdf?v=1", "message_type": "file"},
]
ORDINARY: dict[str, list[dict[str, Any]]] = {
    "chat": [*({**SAID, "content": content} for content in _CONTENTS)],
    "group": [{"metadata": {"thread": {"id": "t1"}}, "content": {"text": "hello"}, **SAID}],
    "private": [{"to": "bob", "client_id": CLIENT, "content": content} for content in _CONTENTS],
    "edit_message": [{"message_id": MESSAGE, "client_id": CLIENT, "content": {"text": "no"}}],
    "react": [{"message_id": MESSAGE, "client_id": CLIENT, "emoji": "👍", "on": True}],
    "typing": [{"room_id": ROOM, "typing": True}, {"to": "bob", "typing": False}],
    "read": [{"room_id": f"d-{'0' * 32}", "seq": 0}, {"room_id": ROOM, "seq": 2**53 - 1}],
    "signal": [
        {"room_id": ROOM, "name": "cursor", **d} for d in ({}, {"data": None}, {"data": [1]})
    ],
    "history": [{"room_id": ROOM}, {"room_id": ROOM, "before": 41, "limit": 20}],
    "sync": [{"rooms": {}}, {"rooms": {ROOM: "11e0994e.41", f"d-{'a' * 32}": None}}],
}
