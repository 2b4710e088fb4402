"""The API put together: its routes, and what stands before them."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import hdrs, web

from parley.namespaces.base import BaseNamespace
from parley.namespaces.errors import Forbidden, Invalid, as_client_error
from parley.namespaces.identity import Authenticator, Identity
from parley.namespaces.plain import check_plain
from parley.server.http import (
    connections,
    documents,
    members,
    messages,
    notifications,
    rooms,
    users,
)
from parley.server.http.api import PREFIX, Call, Reply, Route, Routes, Services
from parley.server.http.errors import all_errors, answer
from parley.server.http.guard import IDENTITY, InFlight, authentication, cross_origin
from parley.server.http.origins import Origins
from parley.server.http.requests import payload_of
from parley.storage.models import UserId

TABLE: tuple[Routes, ...] = (
    rooms.routes,
    members.routes,
    messages.routes,
    users.routes,
    notifications.routes,
    connections.routes,
)
"""Every operation of the API, in the order in which people read about them."""


MAX_SEEN = 10_000  # users whose records need no look


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """What the API needs of the server."""

    services: Services
    namespaces: Mapping[str, type[BaseNamespace]]
    authenticate: Authenticator
    in_flight: InFlight = field(default_factory=InFlight)
    _seen: set[tuple[UserId, str | None]] = field(
        default_factory=set[tuple[UserId, str | None]], init=False
    )

    async def seen(self, identity: Identity) -> None:
        """Let the record of whoever asks appear.

        Who was seen lately is known: to look each time took 9 % of the CPU of a request.
        """
        who = (identity.user_id, identity.name)
        if who in self._seen:
            return
        await self.services.users.see(*who, self.services.now())
        if len(self._seen) >= MAX_SEEN:
            self._seen.clear()
        self._seen.add(who)


def add_api(app: web.Application, api: Api, origins: Origins) -> None:
    """Serve everything below `PREFIX`."""
    public = frozenset(f"{PREFIX}{path}" for path in documents.PATHS)
    below = web.Application(
        middlewares=[
            cross_origin(origins),
            all_errors,
            authentication(api.authenticate, api.seen, public=public),
        ]
    )
    for route in (route for routes in TABLE for route in routes):
        # Whoever may GET may HEAD.
        for method in (route.method, *([hdrs.METH_HEAD] if route.method == "GET" else [])):
            below.router.add_route(method, route.path, _serving(route, api))
    documents.add_routes(below, table=TABLE, namespaces=api.namespaces)
    app.add_subapp(PREFIX, below)


def _serving(route: Route, api: Api) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def serve(request: web.Request) -> web.Response:
        identity = request[IDENTITY]
        if route.role is not None and route.role not in identity.roles:
            raise Forbidden(f"only for tokens with the role {route.role}")
        payload = await payload_of(route, request)
        with api.in_flight.one():
            reply = await _carry_out(route, Call(identity, api.services), payload)
        return answer(reply.data, status=reply.status, headers=reply.headers)

    return serve


async def _carry_out(route: Route, call: Call, payload: dict[str, Any]) -> Reply:
    try:
        check_plain(payload)
        return await route.handler(call, route.takes.load(payload))
    except Exception as exc:
        error = as_client_error(exc)
        if isinstance(error, Invalid):
            _relocate(route, error)
        raise error from exc


def _relocate(route: Route, error: Invalid) -> None:
    """Have an error point into the HTTP request, where its author looks for the mistake."""
    places: Any = error.details.get("errors", ())
    for place in places:
        place["pointer"] = route.pointer(place["pointer"])
