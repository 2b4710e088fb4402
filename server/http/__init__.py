"""What is answered over plain HTTP, one module a noun."""

from aiohttp import web

from parley.server.auth import TokenMint
from parley.server.http import development, health, pages
from parley.server.http.announcement import announce
from parley.server.http.errors import errors
from parley.server.http.handshake import handshake_gate
from parley.server.http.origins import Origins
from parley.server.settings import Settings

__all__ = ["announce", "application"]


def application(settings: Settings, *, server_id: str, mint: TokenMint) -> web.Application:
    """Return everything but Socket.IO, whose handshake it already guards."""
    origins = Origins(settings.origins)
    app = web.Application(
        middlewares=[errors, handshake_gate(origins)], client_max_size=settings.max_payload
    )
    health.add_routes(app, server_id=server_id)
    if settings.dev_login:
        development.add_routes(app, mint=mint, origins=origins)
    pages.add_routes(app, web_root=settings.web_root)
    return app
