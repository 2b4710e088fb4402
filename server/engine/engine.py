"""Engine.IO v4 underneath python-socketio: sessions, their transports, their heartbeats, their end.

Written from the protocol (docs/engine.io-protocol in the socketio/socket.io repository). It takes
the place of python-engineio's server, whose names and small methods it keeps.
"""

# pyright: standard
# (python-engineio ships without types)

import asyncio
import logging
import secrets
from collections.abc import Callable
from typing import Any

import engineio
from aiohttp import web

from parley.namespaces.eager import Crew
from parley.namespaces.transport import Close
from parley.server.engine import frames, requests
from parley.server.engine.connection import Connection
from parley.server.engine.fanout import Fanout
from parley.server.engine.memory import Crowd
from parley.server.engine.requests import Peer, remote
from parley.server.engine.rooms import Room
from parley.server.engine.times import Times

logger = logging.getLogger(__name__)


class Engine(engineio.AsyncServer):  # type: ignore[misc]  # engineio is untyped
    """Every Engine.IO connection of this node."""

    sockets: dict[str, Connection]

    def __init__(
        self,
        *args: Any,
        queue_bytes: int = 1_048_576,
        write_timeout: float = 15.0,
        connect_timeout: float = 10.0,
        peer: Peer = remote,
        compression: bool = False,
        node: str | None = None,
        **options: Any,
    ) -> None:
        """See `engineio.AsyncServer`, and `server.settings` for what is not there.

        Args:
            queue_bytes: What may wait for one connection.
            write_timeout: Seconds that a WebSocket may be full.
            connect_timeout: Seconds without a namespace.
            peer: Tells where a request really comes from.
            compression: WebSockets are compressed where clients offer it.
            node: Name of this node, by which proxies find the way; None: a random one.
        """
        super().__init__(*args, **options)
        self.queue_bytes = queue_bytes
        self.fanout = Fanout()
        self.crew = Crew()
        self.carriers = 0  # WebSockets, those that are ending among them
        self._all_ended = asyncio.Event()
        self.peer = peer
        self.compression = compression
        self.node = node or secrets.token_hex(4)
        # What is above: Socket.IO sets these.
        self.on_message: Callable[[Connection, bytes, bool], None] = self._to_handler
        self.on_end: Callable[[Connection, str], None] = self._ended
        self.on_behind: Callable[[Connection, Room], bool] = lambda _connection, _room: False
        self.times = Times(
            self.sockets,
            self.close,
            ping_interval=self.ping_interval,
            ping_timeout=self.ping_timeout,
            connect_timeout=connect_timeout,
            write_timeout=write_timeout,
        )
        self._crowd = Crowd(self.times.sweep)

    # Requests

    def attach(self, app: web.Application, engineio_path: str = "engine.io") -> None:
        """Answer requests to a path of an application."""
        app.router.add_route("*", f"/{engineio_path.strip('/')}/", self.handle_request)

    async def handle_request(self, request: web.Request) -> web.StreamResponse:
        """Answer one request; origins are looked at before it comes here."""
        return await requests.answer(self, request)

    def open(self, environ: dict[str, Any]) -> Connection:
        """Open a session; its heart begins to beat."""
        # The node comes first, so that a proxy needs no cookie. The rest has no dot (so "n1." is
        # not the beginning of node n10), and is a polling client's password: not for any log.
        connection = Connection(self, f"{self.node}.{self.generate_id()}", environ)
        self.sockets[connection.sid] = connection
        self._crowd.counts(len(self.sockets))
        self.times.began(connection)
        self._tell("connect", connection.sid, environ)
        return connection

    # Packets

    def packet(self, connection: Connection, data: bytes) -> None:
        """Handle one Engine.IO packet of text."""
        kind = data[:1]
        if kind == b"4":
            self.on_message(connection, data[1:], False)
        elif kind == b"3":
            self.times.pong(connection)
        elif kind == b"1":
            self.end(connection, self.reason.CLIENT_DISCONNECT, last=b"6")
        else:
            self.broken(connection, "a packet of no known type")

    def binary(self, connection: Connection, data: bytes) -> None:
        """Handle one message of bytes."""
        self.on_message(connection, data, True)

    def broken(self, connection: Connection, why: str) -> None:
        """End a connection whose client does not speak the protocol; it alone is harmed."""
        if not connection.closed:
            logger.info("broken protocol, from %s: %.80s", connection.environ["REMOTE_ADDR"], why)
            self.close(connection, Close.PROTOCOL)

    def _to_handler(self, connection: Connection, data: bytes, binary: bool) -> None:
        """Give a message to python-engineio's handler, where nothing is above."""
        try:
            message = data if binary else data.decode()
        except UnicodeDecodeError:
            self.broken(connection, "no UTF-8")
        else:
            self._tell("message", connection.sid, message)

    def _ended(self, connection: Connection, reason: str) -> None:
        self._tell("disconnect", connection.sid, reason)

    def _tell(self, event: str, *args: Any) -> None:
        handler = self.handlers.get(event)
        if handler is not None:
            self.crew.start(handler(*args))

    # The end

    def close(self, connection: Connection, how: Close) -> None:
        """End a connection so that its client comes back, or not, as `Close` says.

        On polling the poll that waits, and whatever follows, gets 400.
        """
        carrier = connection.websocket
        if connection.closed:
            return
        full = connection.backlog is not None and connection.backlog.size > 0
        silent = how is Close.SILENT
        reason = self.reason.PING_TIMEOUT if silent else self.reason.SERVER_DISCONNECT
        self.end(connection, reason)
        if carrier is not None and full:
            carrier.transport.abort()  # what would tell it why cannot get there before the rest
        elif carrier is not None:
            carrier.end(how)

    def fell_behind(self, connection: Connection, room: Room) -> None:
        """Tell what is above that a room's frames were dropped; who cannot catch up is closed."""
        if not self.on_behind(connection, room):
            self.close(connection, Close.SLOW)

    def end(self, connection: Connection, reason: str, *, last: bytes | None = None) -> None:
        """Forget a connection, and tell what is above, once.

        Args:
            last: What a poll that waits is answered; None: that the session is unknown.
        """
        if connection.closed:
            return
        connection.last = last
        self.fanout.flush_rooms_of(connection)  # what was sent before the end arrives before it
        connection.shut()
        connection.turn_down(Close.LEFT)
        self.sockets.pop(connection.sid, None)
        self._crowd.counts(len(self.sockets))
        self.on_end(connection, reason)
        if last is not None and connection.websocket is not None:
            connection.websocket.end(Close.LEFT)

    # python-engineio's own names

    def _get_socket(self, sid: str) -> Connection:
        return self.sockets[sid]

    async def send_packet(self, sid: str, pkt: Any) -> None:
        """See `engineio.AsyncServer`; waits for nothing."""
        connection = self.sockets.get(sid)
        if connection is not None:
            encoded = pkt.encode()
            binary = isinstance(encoded, bytes)
            data = encoded if binary else encoded.encode()
            connection.send(frames.framed(data, frames.BINARY if binary else frames.TEXT))

    async def disconnect(self, sid: str | None = None) -> None:
        """See `engineio.AsyncServer`; clients come back, as they would not after a CLOSE packet."""
        for connection in [self.sockets.get(sid)] if sid else list(self.sockets.values()):
            if connection is not None:
                self.close(connection, Close.LEFT)

    async def shutdown(self) -> None:
        """Let nothing come due any more, and wait for what was begun and for WebSockets to end."""
        self.times.close()
        self._crowd.close()
        await self.crew.settled()
        while self.carriers:
            self._all_ended.clear()
            await self._all_ended.wait()

    def carrier_lost(self) -> None:
        """Count a WebSocket less."""
        self.carriers -= 1
        if not self.carriers:
            self._all_ended.set()
