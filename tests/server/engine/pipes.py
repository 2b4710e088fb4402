"""A server without a network: its WebSockets write into pipes that a test empties."""

import asyncio
import json
from typing import Any

from parley.server.engine.connection import Connection
from parley.server.engine.rooms import Member
from parley.server.engine.server import Server
from parley.server.engine.websocket import WebSocket

FULL = 200  # bytes that a pipe takes


class Pipe(asyncio.Transport):
    """Stands for the transport of a socket: holds what was written until somebody reads."""

    def __init__(self) -> None:
        super().__init__()
        self.protocol: WebSocket | None = None
        self.arrived = b""
        self.aborted = False
        self.writes: list[bytes] = []
        self._held = b""
        self._paused = False

    def write(self, data: Any) -> None:
        """Take everything, and say so when it was too much."""
        assert not self.aborted
        self.writes.append(bytes(data))
        self._held += data
        if len(self._held) > FULL and not self._paused and self.protocol is not None:
            self._paused = True
            self.protocol.pause_writing()

    def drain(self) -> None:
        """Let all that is held arrive, as a client that reads does."""
        self.arrived += self._held
        self._held = b""
        if self._paused and self.protocol is not None:
            self._paused = False
            self.protocol.resume_writing()

    def get_write_buffer_size(self) -> int:
        """See `asyncio.Transport`."""
        return len(self._held)

    def is_closing(self) -> bool:
        """See `asyncio.Transport`."""
        return self.aborted

    def abort(self) -> None:
        """See `asyncio.Transport`."""
        self.aborted = True


class Client:
    """One client of a server, on a pipe."""

    def __init__(self, server: Server, namespace: str = "/") -> None:
        self.server = server
        self.pipe = Pipe()
        self.connection: Connection = server.eio.open({"REMOTE_ADDR": "127.0.0.1"})
        self.websocket = WebSocket(server.eio, self.connection, self.pipe, deflates=False)
        self.pipe.protocol = self.websocket
        self.connection.carried_by(self.websocket)
        self.member: Member = server.manager.join(self.connection, namespace)
        self.member.live = True
        self.sid = self.member.sid

    def events(self) -> list[Any]:
        """Let everything arrive and return it: the arguments of events, or bytes."""

        def waits() -> bool:
            return bool(self.pipe.get_write_buffer_size())

        self.pipe.drain()
        while waits():
            self.pipe.drain()
        return [_said(kind, payload) for kind, payload in _split(self.pipe.arrived)]


def _split(data: bytes) -> list[tuple[int, bytes]]:
    """Return the frames in what a server has written."""
    found: list[tuple[int, bytes]] = []
    while data:
        kind, length, start = data[0], data[1], 2
        if length == 126:
            length, start = int.from_bytes(data[2:4], "big"), 4
        elif length == 127:
            length, start = int.from_bytes(data[2:10], "big"), 10
        found.append((kind, data[start : start + length]))
        data = data[start + length :]
    return found


def _said(kind: int, payload: bytes) -> Any:
    if kind != 0x81:
        return payload
    text = payload.decode()
    return json.loads(text[text.index("[") :]) if "[" in text else text
