"""Long polling: packets come in the bodies of POST requests and leave in answers to GET."""

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING

from aiohttp import hdrs, web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web_protocol import RequestPayloadError

from parley.namespaces.transport import Close
from parley.server.engine import frames
from parley.server.engine.connection import Connection

if TYPE_CHECKING:
    from parley.server.engine.engine import Engine

PACKETS_A_POLL = 16  # python-engineio's client takes no more in one answer and gives up
COMPRESSED = 1_024  # bytes of an answer from which on it is worth it

_NOOP = b"6"  # ends a poll without saying anything
_CLOSE = b"1"

# Numbers that Engine.IO clients know.
_UNKNOWN_SID = 1
_BAD_REQUEST = 3


def refused(message: str, status: int = HTTPStatus.BAD_REQUEST) -> web.Response:
    """Return the refusal of a request that Engine.IO does not know."""
    return web.json_response({"code": _BAD_REQUEST, "message": message}, status=status)


def unknown() -> web.Response:
    """Return the answer to a session that is not there, or not any more: clients come back."""
    body = {"code": _UNKNOWN_SID, "message": "Session ID unknown"}
    return web.json_response(body, status=HTTPStatus.BAD_REQUEST)


def opened(packet: bytes) -> web.Response:
    """Return the answer to a handshake."""
    return _text(packet)


async def poll(engine: "Engine", connection: Connection, request: web.Request) -> web.Response:
    """Answer a GET, as soon as there is anything to say."""
    if connection.polled:
        # The protocol asks for this end: a client that polls twice has two minds about what it
        # has got. It is the one time that a CLOSE packet is sent, after which none comes back.
        engine.end(connection, engine.reason.TRANSPORT_ERROR, last=_CLOSE)
        return refused("one poll at a time")
    connection.polled = True
    waiting = connection.take(PACKETS_A_POLL)
    try:
        if not waiting and not connection.probing:
            connection.poll = asyncio.get_running_loop().create_future()
            await connection.poll
            waiting = connection.take(PACKETS_A_POLL)
    finally:
        connection.polled = False
        connection.poll = None
    if waiting and request.transport is None:
        # It would be lost, and the client that polls again would not know of it.
        engine.end(connection, engine.reason.TRANSPORT_CLOSE)
    if connection.closed:
        return unknown() if connection.last is None else _text(connection.last)
    return _text(frames.polling_body(waiting) if waiting else _NOOP)


async def post(engine: "Engine", connection: Connection, request: web.Request) -> web.Response:
    """Take the packets of a POST, however many segments or chunks its body comes in.

    It is answered when there is room for more: that slows down a client that sends too fast.
    """
    if connection.posting:
        engine.broken(connection, "two POST requests at a time")
        return refused("one POST at a time")
    connection.posting = True
    try:
        packets = frames.packets_of(await request.read())
    except web.HTTPRequestEntityTooLarge:
        engine.close(connection, Close.TOO_LARGE)
        return refused("the body is too large", HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    except (OSError, RequestPayloadError, HttpProcessingError):
        # Half a body says nothing; the client may be on its way back, or gone.
        return refused("the body broke off")
    except ValueError:
        engine.broken(connection, "a body that is no packets")
        return refused("no packets")
    else:
        _take(engine, connection, packets)
        if connection.closed and connection.last is None:
            return refused("no packets")
        await connection.read_on()
        return _text(b"ok")
    finally:
        connection.posting = False


def _take(engine: "Engine", connection: Connection, packets: list[tuple[bytes, bool]]) -> None:
    for data, binary in packets:
        if connection.closed:
            return
        if binary:
            engine.binary(connection, data)
        else:
            engine.packet(connection, data)


def _text(body: bytes) -> web.Response:
    response = web.Response(body=body, content_type="text/plain", charset="utf-8")
    response.headers[hdrs.CACHE_CONTROL] = "no-store"
    if len(body) >= COMPRESSED:
        response.enable_compression()
    return response
