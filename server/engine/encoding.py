"""Socket.IO packets as frames, ready to be sent to any number of clients."""

import functools
import json
from collections.abc import Sequence
from typing import Any

import orjson
from socketio import packet

from parley.server.engine import frames


def encode(kind: int, namespace: str, data: Any = None, id: int | None = None) -> tuple[bytes, ...]:
    """Return a packet's frames: one, and one more for each `bytes` in ``data``.

    Raises:
        TypeError: ``data`` is not JSON with bytes in it.
    """
    number = b"" if id is None else b"%d" % id
    try:
        text = b"" if data is None else orjson.dumps(data)
    except TypeError:
        attachments: list[bytes] = []
        text = _text(_emptied(data, attachments))
        if attachments:
            head = _head(_AS_BINARY[kind], namespace, len(attachments))
            first = frames.framed(head + number + text)
            return first, *(frames.framed(each, frames.BINARY) for each in attachments)
    return (frames.framed(_head(kind, namespace) + number + text),)


def _text(data: Any) -> bytes:
    """Encode what orjson does not: keys that are numbers, and numbers beyond 64 bits."""
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise TypeError(str(error)) from error


@functools.lru_cache(maxsize=256)
def _head(kind: int, namespace: str, attachments: int = 0) -> bytes:
    """Return what a packet begins with; Engine.IO's digit is the first."""
    count = b"%d-" % attachments if attachments else b""
    return b"4%d" % kind + count + (b"" if namespace == "/" else namespace.encode() + b",")


_AS_BINARY = {packet.EVENT: packet.BINARY_EVENT, packet.ACK: packet.BINARY_ACK}


def _emptied(data: Any, attachments: list[bytes]) -> Any:
    """Return ``data`` with a placeholder for each piece of bytes."""
    if isinstance(data, bytes | bytearray):
        attachments.append(bytes(data))
        return {"_placeholder": True, "num": len(attachments) - 1}
    if isinstance(data, dict):
        return {key: _emptied(value, attachments) for key, value in data.items()}
    if isinstance(data, Sequence) and not isinstance(data, str):
        return [_emptied(item, attachments) for item in data]
    return data
