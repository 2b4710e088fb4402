"""Engine.IO underneath: stock python-engineio with the gaps closed that lose data or peers."""

# pyright: standard
# (python-socketio and python-engineio ship without types)

import asyncio
from typing import Any

import engineio
from aiohttp import web
from engineio import async_socket, exceptions
from engineio.async_drivers import aiohttp as driver

from parley.namespaces.transport import Close

PACKETS_A_POLL = 16  # python-engineio's client takes no more in one answer and gives up


class _Socket(async_socket.AsyncSocket):  # type: ignore[misc]  # engineio is untyped
    """A socket whose polls end when they should, with as much as a stock client can take."""

    async def poll(self) -> list[Any]:
        """Wait for packets; [] when the socket was closed."""
        deadline = self.server.ping_interval + self.server.ping_timeout
        try:
            # A WebSocket that is silent is found by its heartbeat; only a poll must end in
            # time. (`wait_for` makes a task: a third of what a delivery cost.)
            first = self.queue.get()
            packets = [await (first if self.upgraded else asyncio.wait_for(first, deadline))]
        except (TimeoutError, asyncio.CancelledError):
            raise exceptions.QueueEmpty from None
        self.queue.task_done()
        most = None if self.upgraded else PACKETS_A_POLL
        while packets[-1] is not None and len(packets) != most and not self.queue.empty():
            packets.append(self.queue.get_nowait())
            self.queue.task_done()
        if packets[-1] is not None:
            return packets
        if len(packets) > 1:
            self.queue.put_nowait(None)  # for the next poll
        return packets[:-1]

    async def close(self, wait: bool = True, abort: bool = False, reason: Any = None) -> None:
        """See `engineio.AsyncSocket.close`; ends a poll that waits, which stock leaves open."""
        await super().close(wait=wait, abort=abort, reason=reason)
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

    async def __call__(self, environ: dict[str, Any]) -> Any:
        # The handler is a bound method of the Engine.IO socket: the only way to it from here.
        self.handler.__self__.websocket = self
        # Not compressed: every member of a room would pay for the same message again.
        self._sock = web.WebSocketResponse(
            max_msg_size=self.server.max_http_buffer_size, compress=False
        )
        await self._sock.prepare(environ["aiohttp.request"])
        self.environ = environ
        await self.handler(self)
        return self._sock

    async def send(self, message: str | bytes) -> None:
        """See `driver.WebSocket`, which asks at each frame whether aiohttp is asynchronous."""
        if isinstance(message, str):
            await self._sock.send_str(message)
        else:
            await self._sock.send_bytes(message)


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
        socket = self.sockets.get(request.query.get("sid", ""))
        response: web.StreamResponse = await super().handle_request(request)
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
