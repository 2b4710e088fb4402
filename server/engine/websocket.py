"""A WebSocket after its handshake: one small object on aiohttp's transport.

aiohttp's own WebSocket keeps the request, its headers and a task for as long as the connection
lives, and wakes that task for each message. Here a message is handled in the call that brings it,
and what a connection keeps is what it needs.

Private seams, all in this file (test_seams.py or test_take_over.py fails when one moves):
- ``aiohttp._websocket.reader``: `WebSocketReader` turns bytes into messages, in C, and gives each
  to the ``feed_data`` of its queue. The queue here keeps nothing, so it needs no ``__init__``.
- ``aiohttp.web_protocol.RequestHandler``: `_message_tail` has what came behind the handshake;
  ``connection_lost`` with no ``transport`` makes it forget a connection that goes on without it.
"""

import asyncio
import logging
import socket
from typing import TYPE_CHECKING, Any

from aiohttp import WSCloseCode, WSMsgType, web
from aiohttp._websocket.reader import WebSocketDataQueue, WebSocketReader
from aiohttp.http_websocket import WebSocketError

from parley.namespaces.transport import Close
from parley.server.engine import deflate, frames
from parley.server.engine.connection import Connection
from parley.server.engine.handshake import deflates

if TYPE_CHECKING:
    from parley.server.engine.engine import Engine

logger = logging.getLogger(__name__)

UPGRADE_S = 10.0  # from the handshake until the client goes on there
LINGER_S = 1.0  # for a client to see why it is closed, until its TCP connection ends
HIGH_WATER = 65_536  # bytes that a transport takes beyond what the kernel does
LOW_WATER = 16_384

_NO_CODE = 5_000  # from here on there are no close codes (RFC 6455, section 7.4.2)


# What the kernel may hold that it has not sent yet: otherwise it takes megabytes for a client that
# reads slowly, and an ack waits behind them. Linux and macOS have it.
_NOT_SENT: int | None = getattr(socket, "TCP_NOTSENT_LOWAT", None)


class WebSocket(asyncio.Protocol):
    """Carries a connection, or wants to."""

    __slots__ = (
        "_ended",
        "_engine",
        "_probed",
        "_reader",
        "_timer",
        "connection",
        "deflates",
        "transport",
    )

    def __init__(
        self,
        engine: "Engine",
        connection: Connection,
        transport: asyncio.Transport,
        *,
        deflates: bool,
    ) -> None:
        self.deflates = deflates
        self.connection = connection
        self.transport = transport
        self._engine = engine
        engine.carriers += 1
        self._probed = False
        self._ended = False
        self._timer: asyncio.TimerHandle | None = None  # of an upgrade, then of the end
        self._reader: WebSocketReader | None = WebSocketReader(
            _Messages(self), engine.max_http_buffer_size + 1, compress=deflates, decode_text=False
        )

    @classmethod
    def take_over(
        cls, engine: "Engine", connection: Connection, request: web.Request
    ) -> tuple["WebSocket", bytes]:
        """Take a request's transport away from aiohttp; its handshake is answered by the caller.

        Returns the bytes, too, that came behind the handshake; they are its first input.
        """
        protocol: Any = request.protocol
        transport: Any = request.transport
        websocket = cls(engine, connection, transport, deflates=deflates(engine, request))
        early: bytes = protocol._message_tail
        transport.set_protocol(websocket)
        transport.set_write_buffer_limits(high=HIGH_WATER, low=LOW_WATER)
        if _NOT_SENT is not None:
            transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, _NOT_SENT, HIGH_WATER)
        protocol.transport = None
        protocol.connection_lost(None)
        return websocket, early

    def joined(self, sent: list[bytes]) -> bytes:
        """Return frames as the client gets them."""
        if self.deflates:
            return deflate.joined(sent)
        return sent[0] if len(sent) == 1 else b"".join(sent)

    # What asyncio calls

    def data_received(self, data: bytes) -> None:
        """Handle every message in ``data``; what they are answered leaves in one write."""
        connection = self.connection
        if connection.websocket is self:
            connection.cork()
        if self._reader is not None:
            self._reader.feed_data(data)
        if connection.out is not None:
            connection.flush()

    def eof_received(self) -> bool:
        """Close when the client has closed its side."""
        return False

    def pause_writing(self) -> None:
        """Keep what comes from now on."""
        if self.connection.websocket is self:
            self.connection.full()

    def resume_writing(self) -> None:
        """Send what has waited."""
        if self.connection.websocket is self:
            self.connection.writable()

    def connection_lost(self, exc: Exception | None) -> None:
        """End the connection, unless that was decided before."""
        self._forget_timer()
        self._engine.carrier_lost()
        if self.connection.websocket is self:
            self._engine.end(self.connection, self._engine.reason.TRANSPORT_CLOSE)
        else:
            self.connection.lost_candidate(self, probed=self._probed)
        # These hold each other, and would stay until the garbage collector comes by.
        self._reader = None
        del self.connection

    # Messages

    def message(self, kind: WSMsgType, data: Any) -> None:
        """Handle one message; it raises nothing, for its caller is C."""
        try:
            # What nearly always comes is first.
            if kind is WSMsgType.TEXT and not self._ended and self.connection.websocket is self:
                self._engine.packet(self.connection, data)
            elif kind is WSMsgType.CLOSE:
                self._closed_by_client(data)
            elif self._ended:
                return
            elif kind is WSMsgType.PING:
                # A client that does not read its answers gets no more of them.
                if self.transport.get_write_buffer_size() < HIGH_WATER:
                    self.transport.write(frames.framed(data, frames.PONG))
            elif self.connection.websocket is not self:
                self._probe(kind, data)
            elif kind is WSMsgType.BINARY:
                self._engine.binary(self.connection, data)
        except Exception:
            peer = self.connection.environ["REMOTE_ADDR"]
            logger.exception("a message from %s was not handled", peer)
            self.broken(Close.OVERLOADED)

    def broken(self, how: Close) -> None:
        """End it because of what it sent; where it does not carry its connection, it alone."""
        if self.connection.websocket is self:
            self._engine.close(self.connection, how)
        else:
            self.end(how)

    def try_upgrade(self) -> None:
        """Wait for the client to ask for its connection to be carried from here on."""
        self.connection.candidates = (*self.connection.candidates, self)
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(UPGRADE_S, self.end, Close.IDLE)

    def _probe(self, kind: WSMsgType, packet: bytes) -> None:
        """Go through an upgrade: the client asks whether this way is open, then goes on here."""
        connection = self.connection
        if kind is WSMsgType.PONG:
            return
        if packet == b"2probe" and not self._probed:
            self._probed = True
            connection.probing = True
            self.transport.write(frames.PROBE_ANSWER)
            connection.end_poll()  # the client goes on when its poll is over
        elif packet == b"5" and self._probed and not (connection.upgraded or connection.closed):
            self._forget_timer()
            connection.carried_by(self)
        else:
            self.end(Close.PROTOCOL)

    def _closed_by_client(self, code: int) -> None:
        if self._ended:
            self.transport.close()  # it has read why
            return
        self._ended = True
        self._forget_timer()
        if self.connection.websocket is self:
            self._engine.end(self.connection, self._engine.reason.TRANSPORT_CLOSE)
        if code >= _NO_CODE:
            code = WSCloseCode.PROTOCOL_ERROR
        answer = frames.framed(code.to_bytes(2, "big") if code else b"", frames.CLOSE)
        self.transport.write(answer)
        self.transport.close()

    # The end

    def end(self, how: Close) -> None:
        """Tell the client why, and end when it has read it or after `LINGER_S`."""
        if self._ended:
            return
        self._ended = True
        self._forget_timer()
        if self.transport.get_write_buffer_size() > HIGH_WATER:
            self.transport.abort()  # it does not read: it would never get there
            return
        self.transport.write(frames.closing(*how.value))
        # Not `close` at once: with input unread the kernel answers with a reset, and the client
        # never sees the code. Its own close frame, or the end of its stream, ends it earlier.
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(LINGER_S, self.transport.abort)

    def _forget_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class _Messages(WebSocketDataQueue):
    """The queue of a reader; keeps nothing."""

    __slots__ = ("_websocket",)

    # Of aiohttp's class in Python, where the one in C is missing.
    _size = 0
    _limit = 0

    def __init__(self, websocket: WebSocket) -> None:
        self._websocket = websocket

    def feed_data(self, data: Any, size: int) -> None:
        """Take one message."""
        self._websocket.message(data[0], data[1])

    def set_exception(self, exc: BaseException, exc_cause: BaseException | None = None) -> None:
        """Take the reader's word that the client does not speak WebSocket."""
        how = Close.PROTOCOL
        if isinstance(exc, WebSocketError) and exc.code == WSCloseCode.MESSAGE_TOO_BIG:
            how = Close.TOO_LARGE
        self._websocket.broken(how)
