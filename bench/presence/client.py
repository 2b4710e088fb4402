"""The cheapest client of ``/presence``: it follows users, and counts what it hears."""

import asyncio
import os
from base64 import b64encode
from collections import Counter
from collections.abc import Sequence
from typing import cast

import orjson

from bench.paths import Unusable

PATIENCE_S = 120
_EVENT = b'42/presence,["'
_LONG, _LONGER = 126, 127  # lengths that stand for 2 and 8 bytes more
_TEXT, _FIN = 0x1, 0x80
_SHORTEST = 2  # bytes of a frame


class Client(asyncio.Protocol):
    """One WebSocket. Frames of a server are not masked, and each of ours is whole."""

    def __init__(self, heard: Counter[str]) -> None:
        """Count events by their names in ``heard``, which all clients share."""
        self._heard = heard
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._upgraded = False
        self._waiting: tuple[bytes, asyncio.Future[None]] | None = None
        self._leaves = False

    @classmethod
    async def enter(
        cls, address: tuple[str, int], token: str, follows: Sequence[str], heard: Counter[str]
    ) -> "Client":
        """Connect, and follow users.

        Raises:
            Unusable: The server does not answer as it should.
        """
        loop = asyncio.get_running_loop()
        _, client = await loop.create_connection(lambda: cls(heard), *address)
        host = f"{address[0]}:{address[1]}"
        await client.exchange(_handshake(host), b"0{")
        auth = orjson.dumps({"token": token})
        await client.exchange(_frame(b"40/presence," + auth), b"40/presence,")
        request = orjson.dumps(["subscribe", {"user_ids": list(follows)}])
        await client.exchange(_frame(b"42/presence,1" + request), b'43/presence,1[{"ok":true')
        return client

    def leave(self) -> None:
        """Close the connection."""
        self._leaves = True
        if self._transport is not None:
            self._transport.close()

    async def exchange(self, data: bytes, answer: bytes) -> None:
        """Send something, and wait for a text that begins with ``answer``.

        Raises:
            Unusable: It does not come.
        """
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting = (answer, future)
        if self._transport is None:
            raise Unusable("a client lost its connection")
        self._transport.write(data)
        try:
            async with asyncio.timeout(PATIENCE_S):
                await future
        except TimeoutError:
            raise Unusable(f"no {answer.decode()} within {PATIENCE_S} s") from None

    # asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.Protocol`."""
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        self._transport = None
        if not self._leaves:
            self._heard["@lost"] += 1

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        self._buffer += data
        if not self._upgraded:
            head, found, rest = self._buffer.partition(b"\r\n\r\n")
            if not found:
                return
            if b" 101 " not in head:
                raise Unusable(head.decode())
            self._upgraded, self._buffer = True, rest
        while (text := self._next()) is not None:
            self._take(text)

    def _next(self) -> bytes | None:
        """Take one frame from the buffer; None: there is no whole one."""
        buffer = self._buffer
        if len(buffer) < _SHORTEST:
            return None
        length, begin = buffer[1], 2
        if length >= _LONG:
            begin = 4 if length == _LONG else 10
            length = int.from_bytes(buffer[2:begin])
        if len(buffer) < begin + length:
            return None
        self._buffer = buffer[begin + length :]
        return buffer[begin : begin + length]

    def _take(self, text: bytes) -> None:
        if text == b"2" and self._transport is not None:
            self._transport.write(_frame(b"3"))
        elif text.startswith(_EVENT):
            name = text[len(_EVENT) :].partition(b'"')[0].decode()
            self._heard[name] += 1
            self._heard["@bytes"] += len(text)
        if self._waiting is not None and text.startswith(self._waiting[0]):
            if not self._waiting[1].done():
                self._waiting[1].set_result(None)
            self._waiting = None


def _handshake(host: str) -> bytes:
    key = b64encode(os.urandom(16)).decode()
    lines = [
        "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1",
        *(f"Host: {host}", "Upgrade: websocket", "Connection: Upgrade"),
        *(f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13"),
    ]
    return "\r\n".join([*lines, "", ""]).encode()


def _frame(text: bytes) -> bytes:
    """Return a masked frame; the mask is zeros, which leave the text as it is."""
    length = len(text)
    if length < _LONG:
        size = bytes([0x80 | length])
    elif length < 1 << 16:
        size = bytes([0x80 | _LONG]) + length.to_bytes(2)
    else:
        size = bytes([0x80 | _LONGER]) + length.to_bytes(8)
    return bytes([_FIN | _TEXT]) + size + bytes(4) + text
