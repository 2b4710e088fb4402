"""The documents that describe the server to programs; anybody may read them."""

import asyncio
from collections.abc import Callable, Iterable, Mapping

import orjson
from aiohttp import hdrs, web

from parley.namespaces.base import BaseNamespace
from parley.server.http.api import Routes
from parley.server.http.asyncapi import asyncapi_document
from parley.server.http.json_schema import Json
from parley.server.http.openapi import openapi_document

PATHS: Mapping[str, str] = {
    "/openapi.json": "Describe this API",
    "/asyncapi.json": "Describe the events over Socket.IO",
}
"""Paths below the API's, with what is found there."""


def add_routes(
    api: web.Application,
    *,
    table: Iterable[Routes],
    namespaces: Mapping[str, type[BaseNamespace]],
) -> None:
    """Serve the documents."""
    openapi = _Document(lambda: openapi_document(table, PATHS))
    asyncapi = _Document(lambda: asyncapi_document(namespaces, host="", secure=False))

    async def show_openapi(_request: web.Request) -> web.Response:
        return _show(await openapi.get())

    async def show_asyncapi(request: web.Request) -> web.Response:
        document = await asyncapi.get()
        return _show({**document, "servers": _as_seen_by(request, document["servers"])})

    api.router.add_get("/openapi.json", show_openapi)
    api.router.add_get("/asyncapi.json", show_asyncapi)


class _Document:
    """A document that is made when somebody first asks for it: few do, and it takes a while."""

    def __init__(self, make: Callable[[], Json]) -> None:
        self._make = make
        self._made: Json | None = None

    async def get(self) -> Json:
        if self._made is None:
            self._made = await asyncio.to_thread(self._make)
        return self._made


def _as_seen_by(request: web.Request, servers: Json) -> Json:
    """Return the servers with the address that the client came by."""
    # A proxy that ends TLS says so here; a client that lies about it misleads itself.
    scheme = request.headers.get("X-Forwarded-Proto", request.scheme)
    here = {"host": request.host, "protocol": "wss" if scheme == "https" else "ws"}
    return {name: {**server, **here} for name, server in servers.items()}


def _show(document: Json) -> web.Response:
    return web.Response(
        body=orjson.dumps(document),
        content_type="application/json",
        headers={hdrs.CACHE_CONTROL: "no-cache"},
    )
