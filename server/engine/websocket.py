"""Engine.IO underneath: stock python-engineio with the gaps closed that lose data or peers."""

# pyright: standard
# (python-socketio and python-engineio ship without types)

import asyncio
import logging
from typing import Any

import engineio
from aiohttp import web
from engineio import async_socket, exceptions
from engineio.async_drivers import aiohttp as driver

from parley.namespaces.transport import Close

logger = logging.getLogger(__name__)

PACKET_TYPES = frozenset("0123456")
UPGRADE_S = 10.0  # for each step of an upgrade, while the client may still poll
PACKETS_A_POLL = 16  # python-engineio's client takes no more in one answer and gives up


class _Socket(async_socket.AsyncSocket):  # type: ignore[misc]  # engineio is untyped
    """A socket whose polls end when they should, with as much as a stock client can take."""

    _taken = 0  # packets of the last poll: they have left when the next one begins
    probed = False  # a WebSocket has asked to take over

    @property
    def upgrading(self) -> bool:
        """Whether a WebSocket is taking over, so that polls end at once.

        Stock says so from the first byte of the handshake on, and for ever if the WebSocket is
        lost before its probe: then no poll brings anything any more.
        """
        return self.probed and not self.upgraded

    @upgrading.setter
    def upgrading(self, begun: bool) -> None:
        self.probed = self.probed and begun

    async def poll(self) -> list[Any]:
        """Wait for packets; [] when the socket was closed."""
        for _ in range(self._taken):
            self.queue.task_done()
        self._taken = 0
        deadline = self.server.ping_interval + self.server.ping_timeout
        try:
            # A WebSocket that is silent is found by its heartbeat; only a poll must end in
            # time. (`wait_for` makes a task: a third of what a delivery cost.)
            first = self.queue.get()
            packets = [await (first if self.upgraded else asyncio.wait_for(first, deadline))]
        except (TimeoutError, asyncio.CancelledError):
            # Cancelled: the connection is gone, and its reader ends like one without packets.
            raise exceptions.QueueEmpty from None
        most = None if self.upgraded else PACKETS_A_POLL
        while packets[-1] is not None and len(packets) != most and not self.queue.empty():
            packets.append(self.queue.get_nowait())
        self._taken = len(packets)
        if packets[-1] is not None:
            return packets
        if len(packets) > 1:
            self.queue.put_nowait(None)  # for the next poll
        return packets[:-1]

    async def handle_post_request(self, environ: dict[str, Any]) -> None:
        """Take the packets of a body; one that is none ends the connection.

        Stock answers 200 with a stack trace in the log, or waits for the client to poll.
        """
        try:
            await super().handle_post_request(environ)
        except Exception as error:
            logger.info("broken request from %s: %.80s", self.sid, error)
            await self.server.close_for_now(self.sid, Close.PROTOCOL)

    async def close(self, wait: bool = True, abort: bool = False, reason: Any = None) -> None:
        """See `engineio.AsyncSocket.close`; ends a poll that waits, which stock leaves open.

        It never waits for the queue: a client that polls no more would never empty it.
        """
        await super().close(wait=False, abort=abort, reason=reason)
        if not self.upgraded:
            self.queue.put_nowait(None)


class _Body:
    """A request body that is all there, read as python-engineio reads one."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    async def read(self, length: int) -> bytes:
        return self._body[:length]


async def _environ(request: web.Request) -> dict[str, Any]:
    """Return the WSGI-like environ, with the whole body and the real peer.

    Stock reads once from the stream: a POST that arrives in several TCP segments is cut and
    answered 200, a chunked one reads as empty. It also says REMOTE_ADDR is always 127.0.0.1.
    """
    environ: dict[str, Any] = driver.translate_request(request)
    if request.method == "POST":
        body = await request.read()  # bounded by the application's client_max_size
        environ["wsgi.input"] = _Body(body)
        environ["CONTENT_LENGTH"] = str(len(body))
    environ["REMOTE_ADDR"] = request.remote or ""
    return environ


class _WebSocket(driver.WebSocket):  # type: ignore[misc]  # engineio is untyped
    """A WebSocket its Engine.IO socket knows, so that it can be closed with a code."""

    _sock: Any
    _socket: Any

    async def __call__(self, environ: dict[str, Any]) -> Any:
        # The handler is a bound method of the Engine.IO socket: the only way to it from here.
        self._socket = self.handler.__self__
        self._socket.websocket = self
        # Not compressed: every member of a room would pay for the same message again.
        self._sock = web.WebSocketResponse(
            max_msg_size=self.server.max_http_buffer_size, compress=False
        )
        await self._sock.prepare(environ["aiohttp.request"])
        self.environ = environ
        try:
            await self.handler(self)
        finally:
            self._socket.upgrading = False
        return self._sock

    async def send(self, message: str | bytes) -> None:
        """See `driver.WebSocket`, which asks at each frame whether aiohttp is asynchronous."""
        if isinstance(message, str):
            await self._sock.send_str(message)
        else:
            await self._sock.send_bytes(message)

    async def wait(self) -> Any:
        """Return the next frame; None at the end, which a frame of no known type is, too.

        Stock raises out of its loop then, and the socket stays behind until its heartbeat fails.
        """
        if self._socket.upgraded:
            frame: str | bytes = await super().wait()
        else:
            frame = await self._probe()
        if isinstance(frame, str) and frame[:1] not in PACKET_TYPES:
            code, reason = Close.PROTOCOL.value
            await self._sock.close(code=code, message=reason.encode())
            return None
        return frame

    async def _probe(self) -> str | bytes:
        """Return a frame of the upgrade; `OSError` ends the attempt, and polling goes on."""
        try:
            frame: str | bytes = await asyncio.wait_for(super().wait(), UPGRADE_S)
        except TimeoutError as error:
            raise OSError("the upgrade takes too long") from error
        self._socket.probed = self._socket.probed or frame == "2probe"
        return frame


class Engine(engineio.AsyncServer):  # type: ignore[misc]  # engineio is untyped
    """python-engineio's server, with a way to send a client away that it comes back from."""

    _async: dict[str, Any]

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._async = {
            **self._async,
            "translate_request": _environ,
            "websocket": _WebSocket,
        }

    async def _trigger_event(self, event: str, *args: Any, **options: Any) -> Any:
        if event == "connect":
            # Stock names the class of its sockets in the middle of a long method.
            self.sockets[args[0]].__class__ = _Socket
        return await super()._trigger_event(event, *args, **options)

    async def handle_request(self, request: web.Request) -> web.StreamResponse:
        """See `engineio.AsyncServer.handle_request`; a poll of a closed socket ends with 400."""
        sid = request.query.get("sid", "")
        socket = self.sockets.get(sid)
        try:
            response: web.StreamResponse = await super().handle_request(request)
        except web.HTTPRequestEntityTooLarge:
            await self.close_for_now(sid, Close.PROTOCOL)
            raise
        if getattr(socket, "come_back", False) and not response.prepared:
            # Not an Engine.IO CLOSE packet: after one, stock clients never come back.
            return web.Response(status=400, text='{"code":1,"message":"Session ID unknown"}')
        return response

    async def close_for_now(self, eio_sid: str, how: Close) -> None:
        """End a connection at the transport; stock clients reconnect by themselves."""
        socket = self.sockets.get(eio_sid)
        if socket is None or socket.closed:
            return
        code, reason = how.value
        websocket = getattr(socket, "websocket", None)
        if websocket is not None and socket.upgraded:
            await websocket._sock.close(code=code, message=reason.encode())
            return
        socket.come_back = True
        await socket.close(wait=False, abort=True, reason=self.reason.SERVER_DISCONNECT)
        self.sockets.pop(eio_sid, None)
