"""What every request to the API meets before its handler."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator
from http import HTTPStatus
from typing import Final

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

from parley.namespaces.errors import Draining, Forbidden, Unauthorized
from parley.namespaces.identity import Authenticator, Identity
from parley.server.http.errors import refusal
from parley.server.http.origins import Origins, shown

IDENTITY: Final = web.RequestKey("IDENTITY", Identity)

RETRY_MS = 1_000  # after a server that is being stopped said so

_METHODS = "GET, HEAD, POST, PUT, DELETE"
_REQUEST_HEADERS = "Authorization, Content-Type, Idempotency-Key, If-Match"
_RESPONSE_HEADERS = "ETag, Retry-After, WWW-Authenticate"


def cross_origin(origins: Origins) -> Middleware:
    """Return the middleware that lets web pages of allowed origins in, and no others."""

    @web.middleware
    async def allow(request: web.Request, handler: Handler) -> web.StreamResponse:
        origin = request.headers.get(hdrs.ORIGIN)
        if origin is None:
            return await handler(request)
        if not origins.allow(request):
            return refusal(Forbidden(f"the origin {shown(origin)} is not allowed"))
        if request.method == hdrs.METH_OPTIONS and (
            hdrs.ACCESS_CONTROL_REQUEST_METHOD in request.headers
        ):
            response: web.StreamResponse = web.Response(status=HTTPStatus.NO_CONTENT)
            response.headers[hdrs.ACCESS_CONTROL_ALLOW_METHODS] = _METHODS
            response.headers[hdrs.ACCESS_CONTROL_ALLOW_HEADERS] = _REQUEST_HEADERS
            response.headers[hdrs.ACCESS_CONTROL_MAX_AGE] = "600"  # seconds
        else:
            response = await handler(request)
            response.headers[hdrs.ACCESS_CONTROL_EXPOSE_HEADERS] = _RESPONSE_HEADERS
        # No cookies, so no credentials: a user is known by her token alone.
        response.headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = "*" if origins.any else origin
        response.headers[hdrs.VARY] = hdrs.ORIGIN
        return response

    return allow


class InFlight:
    """Knows the requests that are being carried out, and lets in no more when told."""

    def __init__(self) -> None:
        self._count = 0
        self._draining = False
        self._changed = asyncio.Event()

    @property
    def draining(self) -> bool:
        """Whether the server is being stopped."""
        return self._draining

    @contextlib.contextmanager
    def one(self) -> Iterator[None]:
        """Count a request meanwhile; its body is here, so it depends on no client any more.

        Raises:
            Draining: The server is being stopped.
        """
        if self._draining:
            error = Draining()
            error.retry_after_ms = RETRY_MS
            raise error
        self._count += 1
        try:
            yield
        finally:
            self._count -= 1
            self._changed.set()

    async def drain(self) -> None:
        """Let in no more and wait for those that are inside."""
        self._draining = True
        while self._count:
            self._changed.clear()
            await self._changed.wait()


def authentication(
    authenticate: Authenticator,
    seen: Callable[[Identity], Awaitable[object]],
    *,
    public: frozenset[str],
) -> Middleware:
    """Return the middleware that finds out who asks.

    Args:
        seen: Is told of whoever asks, so that her record appears.
        public: Paths that anybody may ask for.
    """

    @web.middleware
    async def identify(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path in public:
            return await handler(request)
        given = request.headers.getall(hdrs.AUTHORIZATION, [""])
        if len(given) > 1:
            # A proxy may have looked at the other one.
            raise Unauthorized("more than one Authorization header")
        scheme, _, token = given[0].partition(" ")
        if scheme.lower() != "bearer":
            raise Unauthorized("no token: send it as Authorization: Bearer")
        identity = authenticate(token.strip())
        request[IDENTITY] = identity
        await seen(identity)
        return await handler(request)

    return identify
