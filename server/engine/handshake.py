"""The handshake of a WebSocket (RFC 6455, section 4.2), answered by hand.

What answers it in aiohttp also begins a WebSocket of its own; see `websocket`.
"""

import base64
import hashlib
from typing import TYPE_CHECKING

from aiohttp import hdrs, web

from parley.server.engine import deflate

if TYPE_CHECKING:
    from parley.server.engine.engine import Engine

_KEY_LENGTH = 24  # 16 bytes in base64
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # section 1.3


class Handed(web.StreamResponse):
    """The answer to a request whose connection goes on without aiohttp: there is none to send."""

    @property
    def prepared(self) -> bool:
        """Tell middlewares that it is too late for headers."""
        return True

    async def prepare(self, request: web.BaseRequest) -> None:
        """See `web.StreamResponse`."""

    async def write_eof(self, data: bytes = b"") -> None:
        """See `web.StreamResponse`."""


def deflates(engine: "Engine", request: web.Request) -> bool:
    """Whether a WebSocket is compressed."""
    offered = request.headers.get(hdrs.SEC_WEBSOCKET_EXTENSIONS, "")
    return engine.compression and deflate.is_offered(offered)


def answer_of(engine: "Engine", request: web.Request) -> bytes | None:
    """Return the answer to a WebSocket handshake (section 4.2), None if it is not one."""
    headers = request.headers
    key = headers.get(hdrs.SEC_WEBSOCKET_KEY, "")
    upgrade = headers.get(hdrs.UPGRADE, "").lower() == "websocket"
    connection = headers.get(hdrs.CONNECTION, "").lower()
    if not upgrade or "upgrade" not in connection or len(key) != _KEY_LENGTH or not key.isascii():
        return None
    if headers.get(hdrs.SEC_WEBSOCKET_VERSION) != "13":
        return None
    accept = base64.b64encode(hashlib.sha1(key.encode() + _GUID, usedforsecurity=False).digest())
    lines = [
        b"HTTP/1.1 101 Switching Protocols",
        b"Upgrade: websocket",
        b"Connection: Upgrade",
        b"Sec-WebSocket-Accept: " + accept,
    ]
    if deflates(engine, request):
        lines.append(b"Sec-WebSocket-Extensions: " + deflate.ANSWER.encode())
    return b"\r\n".join([*lines, b"", b""])
