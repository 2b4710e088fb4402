"""What is answered over plain HTTP, one module a noun."""

from aiohttp import web

from parley.server.admission import Admission
from parley.server.auth import TokenMint
from parley.server.http import development, docs, health, pages
from parley.server.http.announcement import announce
from parley.server.http.api import Services
from parley.server.http.errors import errors
from parley.server.http.handshake import handshake_gate
from parley.server.http.origins import Origins
from parley.server.http.peers import Peers
from parley.server.http.router import Api, add_api
from parley.server.settings import Settings

__all__ = ["Api", "Peers", "Services", "announce", "application"]


def application(
    settings: Settings,
    *,
    server_id: str,
    mint: TokenMint,
    api: Api | None = None,
    admission: Admission | None = None,
) -> web.Application:
    """Return everything but Socket.IO, whose handshake it already guards.

    Args:
        api: None leaves out the API, and what depends on it.
        admission: Who new is let in; None: everybody.
    """
    origins = Origins(settings.origins)
    app = web.Application(
        middlewares=[errors, handshake_gate(origins, admission)],
        client_max_size=settings.max_payload,
    )
    health.add_routes(app, server_id=server_id)
    if api is not None:
        health.add_readiness(app, api.services.users, api.services.bus, admission)
        add_api(app, api, origins)
        docs.add_routes(app)
    if settings.dev_login:
        development.add_routes(app, mint=mint, origins=origins)
    pages.add_routes(app, web_root=settings.web_root)
    return app
