"""Sign-in by name, for development: anyone may be anyone, so only from this machine."""

import hashlib
import re
import unicodedata
from typing import Any, Final
from urllib.parse import urlsplit

from aiohttp import hdrs, web
from marshmallow import Schema, fields

from parley.namespaces.errors import Forbidden, Invalid
from parley.server.auth import TokenMint, checked_name
from parley.server.http.origins import Origins
from parley.server.settings import is_loopback

MINT: Final = web.AppKey("MINT", TokenMint)
ORIGINS: Final = web.AppKey("ORIGINS", Origins)

TOKEN_TTL_S = 7 * 24 * 3600

_NO_STORE = {hdrs.CACHE_CONTROL: "no-store"}


class LoginSchema(Schema):
    """Body of ``POST /dev/login``."""

    name = fields.String(required=True)


async def offer(_request: web.Request) -> web.Response:
    """Tell the page that it may ask for a name."""
    return web.json_response({}, headers=_NO_STORE)


async def login(request: web.Request) -> web.Response:
    """Return a token for the name, and the user id made from it."""
    _check_source(request)
    body: dict[str, Any] = LoginSchema().load(await _json(request))
    try:
        name = checked_name(body["name"])
    except ValueError as error:
        raise Invalid.at("/name", str(error)) from None
    if name is None:
        raise Invalid.at("/name", "a name is needed")
    user_id = user_id_of(name)
    token = request.app[MINT].mint(user_id, name=name, ttl_s=TOKEN_TTL_S)
    return web.json_response({"token": token, "user_id": user_id}, headers=_NO_STORE)


def add_routes(app: web.Application, *, mint: TokenMint, origins: Origins) -> None:
    """Serve ``/dev/login``; only to be called when the operator wants it."""
    app[MINT] = mint
    app[ORIGINS] = origins
    app.router.add_get("/dev/login", offer)
    app.router.add_post("/dev/login", login)


def user_id_of(name: str) -> str:
    """Return ``alice-smith`` for "Alice Smith", and always the same for the same name."""
    plain = unicodedata.normalize("NFKD", name).lower()
    words = re.sub(r"[^a-z0-9._@\s-]", "", plain).split()
    # A name in another script has nothing left; its hash is still one id for one name.
    return "-".join(words)[:64] or f"user-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _check_source(request: web.Request) -> None:
    # The server listens on loopback, but a page of any site can reach that: by its own origin,
    # or by a domain name of its own that it makes resolve to 127.0.0.1.
    try:
        host = urlsplit(f"//{request.host}").hostname or ""
    except ValueError:
        host = ""  # not a host at all
    if not is_loopback(host):
        raise Forbidden("sign-in by name works under localhost and 127.0.0.1 only")
    if not request.app[ORIGINS].allow(request):
        raise Forbidden("sign-in by name is not for pages of another origin")


async def _json(request: web.Request) -> Any:
    if request.content_type != "application/json":
        raise Invalid.at("", "the body must be application/json")
    try:
        return await request.json()
    except (ValueError, RecursionError):
        raise Invalid.at("", "the body is not JSON") from None
