"""The page at ``/api/docs`` where people read about the API and try it.

It is ours, because each package that brings such a page up to date brings another web framework
as well. It is made in the browser from ``openapi.json`` and asks for nothing from elsewhere.
"""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from aiohttp import hdrs, web

PATH = "/api/docs"

_FOLDER = Path(__file__).parent / "docs_page"
_FILES: Final = {
    "dom.js": "text/javascript",
    "icon.svg": "image/svg+xml",
    "operation.js": "text/javascript",
    "page.css": "text/css",
    "page.js": "text/javascript",
    "shape.js": "text/javascript",
}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS: Final = {
    hdrs.CACHE_CONTROL: "no-cache",
    "Content-Security-Policy": _POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def add_routes(app: web.Application) -> None:
    """Serve the page and its parts."""
    app.router.add_get(PATH, _showing("index.html", "text/html"))
    for name, content_type in _FILES.items():
        app.router.add_get(f"{PATH}/{name}", _showing(name, content_type))


def _showing(name: str, content_type: str) -> Callable[[web.Request], Awaitable[web.FileResponse]]:
    headers = {**_HEADERS, hdrs.CONTENT_TYPE: f"{content_type}; charset=utf-8"}

    async def show(_request: web.Request) -> web.FileResponse:
        return web.FileResponse(_FOLDER / name, headers=headers)

    return show
