"""A WebSocket byte by byte, for what no library would send."""

import asyncio
import contextlib
import os
import socket
import struct
from base64 import b64encode
from collections.abc import AsyncGenerator
from typing import Self

from yarl import URL

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
_FINAL, _MASKED = 0x80, 0x80
_NO_LINGER = struct.pack("ii", 1, 0)  # `close` sends a reset


def frame(
    payload: bytes, opcode: int = TEXT, *, final: bool = True, rsv: int = 0, masked: bool = True
) -> bytes:
    """Return one frame as a client sends it; each fault has an argument."""
    first = (_FINAL if final else 0) | rsv << 4 | opcode
    return bytes([first]) + length(len(payload), masked=masked) + payload


def length(size: int, *, masked: bool = True) -> bytes:
    """Return a frame's second byte, the length behind it, and a key that masks nothing."""
    bit, key = (_MASKED, bytes(4)) if masked else (0, b"")
    if size < 126:
        return bytes([bit | size]) + key
    if size < 65_536:
        return bytes([bit | 126]) + size.to_bytes(2, "big") + key
    return bytes([bit | 127]) + size.to_bytes(8, "big") + key


def closing(code: int, reason: bytes = b"") -> bytes:
    """Return a close frame."""
    return frame(code.to_bytes(2, "big") + reason, CLOSE)


class Wire:
    """One TCP connection that has become a WebSocket."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    @contextlib.asynccontextmanager
    async def open(
        cls, url: str, *, sid: str | None = None, early: bytes = b""
    ) -> AsyncGenerator[Self]:
        """Be connected in a block; see `dial`."""
        wire = await cls.dial(url, sid=sid, early=early)
        try:
            yield wire
        finally:
            await wire.close()

    @classmethod
    async def dial(cls, url: str, *, sid: str | None = None, early: bytes = b"") -> Self:
        """Make the handshake; what the server says first is still to be read.

        Args:
            sid: The session that wants to go on here; None: a new one.
            early: What leaves in one write with the handshake.
        """
        where = URL(url)
        session = "" if sid is None else f"&sid={sid}"
        wire = cls(*await asyncio.open_connection(where.host, where.port))
        wire.send(
            f"GET /socket.io/?EIO=4&transport=websocket{session} HTTP/1.1\r\n"
            f"Host: {where.authority}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: {b64encode(os.urandom(16)).decode()}\r\n\r\n".encode()
            + early
        )
        answer = await wire._reader.readuntil(b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 101"), answer
        return wire

    async def close(self) -> None:
        """Let go of it."""
        self._writer.transport.abort()
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()

    async def join(self, token: str) -> Self:
        """Join ``/chat`` and read until the catch-up is done."""
        self.send(frame(f'40/chat,{{"token":"{token}"}}'.encode()))
        while b'"done":true' not in (await self.receive())[1]:
            pass
        return self

    def send(self, data: bytes) -> None:
        """Send bytes."""
        self._writer.write(data)

    async def receive(self) -> tuple[int, bytes]:
        """Return the next frame's opcode and payload; EOFError when there is none."""
        first, second = await self._reader.readexactly(2)
        size = second
        if second >= 126:
            size = int.from_bytes(await self._reader.readexactly(2 if second == 126 else 8), "big")
        return first & 0x0F, await self._reader.readexactly(size)

    async def ended(self) -> int | None:
        """Pass over what comes and return the server's close code, None where it sent none."""
        with contextlib.suppress(EOFError, ConnectionError):
            return await self.until(b"no message begins like this")
        return None

    async def until(self, start: bytes) -> int | None:
        """Pass over what comes before a message, or a close frame whose code is returned."""
        while True:
            opcode, payload = await self.receive()
            if opcode == CLOSE:
                return int.from_bytes(payload[:2], "big") if payload else None
            if opcode == TEXT and payload.startswith(start):
                return None

    def reset(self) -> None:
        """End the TCP connection with a reset, as a process does that is killed."""
        connection = self._writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        self._writer.transport.abort()

    def finish(self) -> None:
        """Say nothing more, and go on listening."""
        self._writer.write_eof()
