"""Where a request really comes from, when proxies that are trusted stand in between."""

import ipaddress
from collections.abc import Collection

from aiohttp import hdrs, web

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Peers:
    """Tells real addresses; believed are trusted proxies alone, for anybody can send a header."""

    def __init__(self, trusted: Collection[Network]) -> None:
        self._trusted = tuple(trusted)

    def __call__(self, request: web.Request) -> str:
        """Return the last address on the way that is no trusted proxy's; "" if there is none.

        A proxy adds the address it saw at the end of ``X-Forwarded-For``, behind whatever its
        client has claimed, so the way is followed from its end.
        """
        address = request.remote or ""
        if not self._trusted:
            return address
        for said in reversed(_forwarded(request)):
            if not self._trusts(address):
                break
            address = said
        return address

    def _trusts(self, address: str) -> bool:
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self._trusted)


def _forwarded(request: web.Request) -> list[str]:
    headers = request.headers.getall(hdrs.X_FORWARDED_FOR, [])
    return [part.strip() for header in headers for part in header.split(",") if part.strip()]
