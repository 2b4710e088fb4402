"""Which request is which: handshakes, polls, posts, and WebSockets that take over."""

from collections.abc import Callable
from http import HTTPMethod
from typing import TYPE_CHECKING, Any

import orjson
from aiohttp import hdrs, web

from parley.namespaces.transport import Close
from parley.server.engine import frames, polling
from parley.server.engine.connection import Connection
from parley.server.engine.handshake import Handed, answer_of
from parley.server.engine.websocket import WebSocket

if TYPE_CHECKING:
    from parley.server.engine.engine import Engine

PROTOCOL = "4"

Peer = Callable[[web.Request], str]
"""Returns the address that a request really comes from."""

_KEPT = (hdrs.AUTHORIZATION, hdrs.ORIGIN, hdrs.USER_AGENT)


async def answer(engine: "Engine", request: web.Request) -> web.StreamResponse:
    """Answer one request."""
    query = request.query
    transport = query.get("transport", "")
    if query.get("EIO") != PROTOCOL or transport not in engine.transports:
        return polling.refused("unknown protocol or transport")
    if request.method not in (HTTPMethod.GET, HTTPMethod.POST):
        return polling.refused("unknown method")
    if "sid" not in query:
        return _open(engine, request, transport)
    connection = engine.sockets.get(query["sid"])
    if connection is None or engine.times.over(connection):
        return polling.unknown()
    return await _go_on(engine, request, connection)


async def _go_on(
    engine: "Engine", request: web.Request, connection: Connection
) -> web.StreamResponse:
    """Answer a request of a session."""
    if request.query["transport"] == "websocket":
        return _upgrade(engine, request, connection)
    if connection.upgraded:
        return polling.refused("a WebSocket carries this session")
    talk = polling.poll if request.method == HTTPMethod.GET else polling.post
    return await talk(engine, connection, request)


def _open(engine: "Engine", request: web.Request, transport: str) -> web.StreamResponse:
    """Open a session. Nothing waits here, so it is there before its client can use it."""
    over_websocket = transport == "websocket"
    accepted = answer_of(engine, request) if over_websocket else b""
    if request.method != HTTPMethod.GET or accepted is None:
        return polling.refused("no handshake")
    connection = engine.open(environ_of(request, engine.peer))
    greeting = _greeting(engine, connection, upgrades=not over_websocket)
    if not over_websocket:
        return polling.opened(greeting)
    carrier, early = WebSocket.take_over(engine, connection, request)
    carrier.transport.write(accepted + frames.framed(greeting))
    connection.carried_by(carrier)
    carrier.data_received(early)
    return Handed()


def _greeting(engine: "Engine", connection: Connection, *, upgrades: bool) -> bytes:
    """Return the packet that opens a session."""
    return b"0" + orjson.dumps(
        {
            "sid": connection.sid,
            "upgrades": ["websocket"] if upgrades and "websocket" in engine.transports else [],
            "pingInterval": round(engine.ping_interval * 1000),
            "pingTimeout": round(engine.ping_timeout * 1000),
            "maxPayload": engine.max_http_buffer_size,
        }
    )


def _upgrade(engine: "Engine", request: web.Request, connection: Connection) -> web.StreamResponse:
    """Let a WebSocket try to take over a session."""
    accepted = answer_of(engine, request)
    if accepted is None or request.method != HTTPMethod.GET:
        return polling.refused("no handshake")
    carrier, early = WebSocket.take_over(engine, connection, request)
    carrier.transport.write(accepted)
    if connection.upgraded or connection.probing:
        carrier.end(Close.PROTOCOL)  # as a WebSocket, so that the client hears it
    else:
        carrier.try_upgrade()
        carrier.data_received(early)
    return Handed()


def environ_of(request: web.Request, peer: Peer) -> dict[str, Any]:
    """Return what handlers may know of a request, in WSGI's names as python-socketio has them.

    A stock connection keeps the whole request for as long as it lives, headers, task and all.
    """
    environ: dict[str, Any] = {"REMOTE_ADDR": peer(request)}
    for name in _KEPT:
        value = request.headers.get(name)
        if value is not None:
            environ[f"HTTP_{name.upper().replace('-', '_')}"] = value
    return environ


def remote(request: web.Request) -> str:
    """Return the address at the other end of the TCP connection."""
    return request.remote or ""
