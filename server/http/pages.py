"""The chat page at ``/``: files from ``PARLEY_WEB_ROOT``, or a plain page that says what to do."""

import asyncio
import re
from pathlib import Path
from typing import Final

from aiohttp import hdrs, web

from parley.server.http import plain

WEB_ROOT: Final = web.AppKey("WEB_ROOT", Path)

CLIENT = "node_modules/socket.io-client/dist/socket.io.esm.min.js"
"""What the page needs from npm, below the web root."""

_CLIENT_FOLDER = ["node_modules", "socket.io-client", "dist"]
_MAX_PATH = 1_000  # characters

# A name begins with no dot and holds nothing that means something to a file system.
_NAME = re.compile(r"\A[A-Za-z0-9_@-][A-Za-z0-9_.@-]{0,199}\Z")

# Only these are served; and given here, because a system's own table may say text/plain for .js.
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".jpg": "image/jpeg",
    ".js": "text/javascript; charset=utf-8",
    ".map": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "font-src 'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_HEADERS = {
    hdrs.CACHE_CONTROL: "no-cache",  # asks every time, and mostly hears 304
    "Content-Security-Policy": _POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


async def index(request: web.Request) -> web.StreamResponse:
    """Serve the page, or say what it lacks."""
    root = request.app[WEB_ROOT]
    for needed in ("index.html", CLIENT):
        if not await asyncio.to_thread(find, root, needed):
            return plain.incomplete(needed)
    return await _respond(root, "index.html")


async def file(request: web.Request) -> web.StreamResponse:
    """Serve one file of the page."""
    return await _respond(request.app[WEB_ROOT], request.match_info["path"])


async def how_to_connect(request: web.Request) -> web.Response:
    """Stand in for the page where there is none."""
    return plain.how_to_connect(request.host)


def add_routes(app: web.Application, *, web_root: Path | None) -> None:
    """Serve ``/`` and every path below that nothing else serves."""
    if web_root is None:
        app.router.add_get("/", how_to_connect)
        return
    app[WEB_ROOT] = web_root.resolve()
    app.router.add_get("/", index)
    app.router.add_get("/{path:.+}", file)


def find(root: Path, path: str) -> Path | None:
    """Return the file to serve for ``path``, None if there is none to be served."""
    names = path.split("/")
    if len(path) > _MAX_PATH or not all(_NAME.match(name) for name in names):
        return None
    # Lower case, because some file systems do not care: Node_Modules is the same folder there.
    if "node_modules" in path.lower() and names[:-1] != _CLIENT_FOLDER:
        return None
    try:
        found = (root / path).resolve()
    except (OSError, RuntimeError):  # a loop of links; which of the two depends on the Python
        return None
    # A link may lead anywhere.
    return found if found.is_relative_to(root) and found.is_file() else None


async def _respond(root: Path, path: str) -> web.StreamResponse:
    content_type = _TYPES.get(Path(path).suffix)
    found = await asyncio.to_thread(find, root, path)
    if content_type is None or found is None:
        raise web.HTTPNotFound
    return web.FileResponse(found, headers={**_HEADERS, hdrs.CONTENT_TYPE: content_type})
