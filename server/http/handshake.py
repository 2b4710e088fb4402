"""What is settled before Socket.IO sees a request: who may ask, and in which protocol.

Browsers hide why a connection failed, so each refusal is a sentence that the network tab shows
and a line in the log.
"""

import logging
import random
from http import HTTPStatus

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

from parley.server.admission import Admission
from parley.server.http.origins import Origins, shown

logger = logging.getLogger(__name__)

PATH = "/socket.io/"
PROTOCOL = "4"  # of Engine.IO; it came with version 3 of the Socket.IO clients

RETRY_S = (1, 5)  # after which who was turned away may come back; not all at the same time

# Numbers that Engine.IO clients know.
_BAD_REQUEST = 3
_FORBIDDEN = 4
_UNSUPPORTED_PROTOCOL = 5


def handshake_gate(origins: Origins, admission: Admission | None = None) -> Middleware:
    """Return the middleware that guards ``/socket.io/`` and answers CORS there.

    It does all of CORS, so the transport behind it must do none (``cors_allowed_origins=[]``).
    """
    warned = False

    @web.middleware
    async def gate(request: web.Request, handler: Handler) -> web.StreamResponse:
        nonlocal warned
        if not request.path.startswith(PATH):
            return await handler(request)
        if not origins.allow(request):
            return _refused_origin(request)
        if _is_preflight(request):
            response: web.StreamResponse = web.Response(status=HTTPStatus.NO_CONTENT)
        elif _is_outdated(request):
            if not warned:
                logger.warning("refused a client that is too old: %s", _TOO_OLD)
            warned = True
            response = _refusal(HTTPStatus.BAD_REQUEST, _UNSUPPORTED_PROTOCOL, _TOO_OLD)
        elif admission is not None and _opens(request) and (why := admission.refusal()):
            response = _turned_away(why)
        else:
            response = await handler(request)
        if not response.prepared:  # a WebSocket has sent its headers, and needs none of these
            _add_cors(request, response, origins)
        return response

    return gate


_TOO_OLD = (
    "Unsupported protocol version: Socket.IO client 3 or newer (Engine.IO 4) is needed, "
    "in JavaScript best socket.io-client 4"
)


def _is_preflight(request: web.Request) -> bool:
    return request.method == hdrs.METH_OPTIONS and hdrs.ACCESS_CONTROL_REQUEST_METHOD in (
        request.headers
    )


def _is_outdated(request: web.Request) -> bool:
    return _opens(request) and request.query.get("EIO") != PROTOCOL


def _opens(request: web.Request) -> bool:
    return "sid" not in request.query


def _turned_away(why: str) -> web.Response:
    response = _refusal(HTTPStatus.SERVICE_UNAVAILABLE, _BAD_REQUEST, f"Unavailable: {why}")
    seconds = random.randint(*RETRY_S)  # noqa: S311 (spreads load, guards nothing)
    response.headers[hdrs.RETRY_AFTER] = str(seconds)
    response.force_close()  # the next try shall find another server
    return response


def _refused_origin(request: web.Request) -> web.Response:
    origin = shown(request.headers[hdrs.ORIGIN])
    message = f"Forbidden: the origin {origin} is not allowed; PARLEY_ORIGINS lists those that are"
    return _refusal(HTTPStatus.FORBIDDEN, _FORBIDDEN, message)


def _refusal(status: HTTPStatus, code: int, message: str) -> web.Response:
    return web.json_response({"code": code, "message": message}, status=status)


def _add_cors(request: web.Request, response: web.StreamResponse, origins: Origins) -> None:
    origin = request.headers.get(hdrs.ORIGIN)
    if origin is None:
        return
    headers = response.headers
    headers[hdrs.VARY] = hdrs.ORIGIN
    if origins.any:
        headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = "*"
    else:
        headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = origin
        # For the cookie of a load balancer; a user is known by her token alone.
        headers[hdrs.ACCESS_CONTROL_ALLOW_CREDENTIALS] = "true"
    if _is_preflight(request):
        wanted = request.headers.get(hdrs.ACCESS_CONTROL_REQUEST_HEADERS)
        headers[hdrs.ACCESS_CONTROL_ALLOW_METHODS] = "GET, POST"
        headers[hdrs.ACCESS_CONTROL_MAX_AGE] = "600"  # seconds
        if wanted:
            headers[hdrs.ACCESS_CONTROL_ALLOW_HEADERS] = wanted
