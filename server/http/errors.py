"""Answers in JSON, and one body for every error, the same as in the ack of an event."""

import math
from collections.abc import Mapping
from http import HTTPStatus

import orjson
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from parley.namespaces.errors import (
    ClientError,
    Draining,
    Invalid,
    NotFound,
    TooLarge,
    Unauthorized,
    as_client_error,
)


@web.middleware
async def errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer an exception with ``{"error": {code, message, retryable, ...}}``."""
    try:
        return await handler(request)
    except web.HTTPException:
        raise  # aiohttp's own answers, such as 404 for an unknown path
    except Exception as exc:
        return refusal(as_client_error(exc))


@web.middleware
async def all_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Do the same with aiohttp's own answers, for programs that expect nothing but JSON."""
    try:
        return await handler(request)
    except web.HTTPException as exc:
        return _own(exc)
    except Exception as exc:
        return refusal(as_client_error(exc))


def answer(
    data: object, *, status: int = HTTPStatus.OK, headers: Mapping[str, str] | None = None
) -> web.Response:
    """Return a response in JSON that nobody keeps."""
    return web.Response(
        body=orjson.dumps(data),
        status=status,
        headers={hdrs.CACHE_CONTROL: "no-store", **(headers or {})},
        content_type="application/json",
    )


def refusal(error: ClientError, *, status: int | None = None) -> web.Response:
    """Return an error as the response that it is over HTTP."""
    headers: dict[str, str] = {}
    if isinstance(error, Unauthorized):
        headers[hdrs.WWW_AUTHENTICATE] = "Bearer"
    if error.retry_after_ms is not None:
        headers[hdrs.RETRY_AFTER] = str(math.ceil(error.retry_after_ms / 1000))
    body = {"error": error.to_wire()}
    response = answer(body, status=error.status if status is None else status, headers=headers)
    if isinstance(error, Draining):
        response.force_close()  # the next try shall find another server
    return response


def _own(exc: web.HTTPException) -> web.Response:
    match exc:
        case web.HTTPNotFound():
            return refusal(NotFound("there is no such path"))
        case web.HTTPMethodNotAllowed():
            allowed = ", ".join(sorted(exc.allowed_methods))
            response = refusal(Invalid(f"this path takes {allowed}"), status=exc.status)
            response.headers[hdrs.ALLOW] = allowed
            return response
        case web.HTTPRequestEntityTooLarge():
            return refusal(TooLarge("the body is too large"))
        case _:
            return refusal(Invalid(exc.reason), status=exc.status)
