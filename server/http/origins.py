"""Which web pages may talk to this server."""

import logging
from urllib.parse import urlsplit

from aiohttp import hdrs, web

from parley.server.setting_values import ANY_ORIGIN

logger = logging.getLogger(__name__)

_REMEMBERED = 100  # refused origins that get a log line of their own
_SHOWN = 200  # characters of an origin, which is the client's to choose


class Origins:
    """The allow-list: the server's own pages, and those of ``PARLEY_ORIGINS``.

    Browsers send an origin and cannot be made to lie about it; whoever sends none is no page.
    """

    def __init__(self, allowed: frozenset[str]) -> None:
        self._allowed = allowed
        self._refused: set[str] = set()

    @property
    def any(self) -> bool:
        """Whether every origin is allowed."""
        return ANY_ORIGIN in self._allowed

    def allow(self, request: web.BaseRequest) -> bool:
        """Return whether the request may go on; log an origin that is refused, once."""
        origin = request.headers.get(hdrs.ORIGIN)
        if origin is None or self.any or origin.lower() in self._allowed:
            return True
        if _host_of(origin) == request.host.lower():
            return True
        self._log(shown(origin))
        return False

    def _log(self, origin: str) -> None:
        # Bounded, or a visitor could fill the memory and the log.
        if origin in self._refused or len(self._refused) >= _REMEMBERED:
            return
        self._refused.add(origin)
        logger.warning("refused the origin %s; PARLEY_ORIGINS would allow it", origin)


def shown(origin: str) -> str:
    """Return an origin as far as it fits into a sentence."""
    return origin[:_SHOWN]


def _host_of(origin: str) -> str | None:
    """Return host and port as a Host header has them, which leaves the scheme to the proxy."""
    try:
        parts = urlsplit(origin)
    except ValueError:
        return None
    return parts.netloc.lower() if parts.scheme in ("http", "https") else None
