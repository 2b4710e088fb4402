"""Whether the process lives."""

from typing import Final

from aiohttp import hdrs, web

SERVER_ID: Final = web.AppKey("SERVER_ID", str)


async def healthz(request: web.Request) -> web.Response:
    """Answer as long as the event loop turns."""
    body = {"status": "ok", "server_id": request.app[SERVER_ID]}
    return web.json_response(body, headers={hdrs.CACHE_CONTROL: "no-store"})


def add_routes(app: web.Application, *, server_id: str) -> None:
    """Serve ``/healthz``."""
    app[SERVER_ID] = server_id
    app.router.add_get("/healthz", healthz)
