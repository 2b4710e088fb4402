"""From an HTTP request to the payload that an event would have."""

import re
import secrets
from typing import Any

import orjson
from aiohttp import hdrs, web
from marshmallow import fields
from multidict import MultiMapping

from parley.namespaces.errors import Invalid, TooLarge
from parley.namespaces.plain import printable
from parley.server.http.api import HEADERS, MAX_BODY_BYTES, Route, Where

_INTEGER = re.compile(r"-?[0-9]{1,18}\Z")
_FLAGS = {"1": True, "true": True, "0": False, "false": False}
_ENTITY_TAG = re.compile(r'"([0-9]{1,15})"\Z')


async def payload_of(route: Route, request: web.Request) -> dict[str, Any]:
    """Gather the fields of a request; its schema has still to look at them.

    Raises:
        Invalid: There is a field where it does not belong, or the body is no JSON.
        TooLarge: The body has more than `MAX_BODY_BYTES`.
    """
    payload = _query(route, request.query)
    if route.has_body:
        payload |= _placed(route, await _body(request))
    payload |= request.match_info
    payload |= _headers(route, request.headers)
    return payload


def _query(route: Route, query: MultiMapping[str]) -> dict[str, Any]:
    payload: dict[str, Any] = {}
    for name, text in query.items():
        if name in payload:
            raise _at(name, "given more than once")
        _check_place(route, name, Where.QUERY)
        payload[name] = _typed(route.takes.declared_fields.get(name), text)
    return payload


def _typed(field: Any, text: str) -> Any:
    """Return what a text stands for; one that stands for nothing is left to the schema."""
    if isinstance(field, fields.Integer) and _INTEGER.match(text):
        return int(text)
    if isinstance(field, fields.Boolean):
        return _FLAGS.get(text, text)
    return text


def _placed(route: Route, body: dict[str, Any]) -> dict[str, Any]:
    if route.body is not None:
        return {route.body: body}
    for name in body:
        _check_place(route, name, Where.BODY)
    return body


def _check_place(route: Route, name: str, where: Where) -> None:
    """Refuse a field that travels elsewhere; one that there is not is for the schema to refuse."""
    if route.fields.get(name, where) is not where:
        raise _at(name, "Unknown field.")


def _headers(route: Route, headers: MultiMapping[str]) -> dict[str, Any]:
    payload: dict[str, Any] = {}
    if "client_id" in route.fields:
        # Without one a retry is another request; that is the client's choice here.
        given = _header(headers, "client_id")
        payload["client_id"] = secrets.token_hex(12) if given is None else given
    condition = _header(headers, "if_rev")
    if condition is not None and "if_rev" not in route.fields:
        # To go on without looking would do what the client asked not to be done.
        raise _at(HEADERS["if_rev"], "not looked at here")
    if condition not in (None, "*"):
        tag = _ENTITY_TAG.match(condition or "")
        if tag is None:
            raise _at(HEADERS["if_rev"], 'not * or one entity tag such as "7"')
        payload["if_rev"] = int(tag[1])
    return payload


def _header(headers: MultiMapping[str], name: str) -> str | None:
    found = headers.getall(HEADERS[name], [])
    if len(found) > 1:
        raise _at(HEADERS[name], "given more than once")
    return found[0] if found else None


async def _body(request: web.Request) -> dict[str, Any]:
    if request.content_type != "application/json":
        raise Invalid.at("", "the body must be application/json")
    if hdrs.CONTENT_ENCODING in request.headers:
        raise Invalid.at("", "the body must not be compressed")
    try:
        body = orjson.loads(await _read(request))
    except orjson.JSONDecodeError:
        raise Invalid.at("", "the body is not JSON") from None
    if not isinstance(body, dict):
        raise Invalid.at("", "an object is expected")
    return body  # pyright: ignore[reportUnknownVariableType]  # of what, `check_plain` says


async def _read(request: web.Request) -> bytes:
    """Return the whole body, and read no more of it than is allowed."""
    body = bytearray()
    try:
        async for chunk in request.content.iter_any():
            body += chunk
            if len(body) > MAX_BODY_BYTES:
                raise TooLarge(f"the body is larger than {MAX_BODY_BYTES} bytes")
    except (ConnectionError, web.RequestPayloadError):
        # It goes nowhere: whoever sent this is gone, or speaks no HTTP.
        raise Invalid.at("", "the body did not arrive whole") from None
    return bytes(body)


def _at(name: str, message: str) -> Invalid:
    escaped = printable(name[:120]).replace("~", "~0").replace("/", "~1")
    return Invalid.at(f"/{escaped}", message)
