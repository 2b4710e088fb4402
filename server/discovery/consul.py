"""Consul, by the HTTP API of an agent, which looks at ``/readyz`` itself from then on."""

from http import HTTPStatus

import aiohttp

from parley.server.discovery.registry import Listing, ask

CHECK_EVERY = "5s"
CHECK_TIMEOUT = "2s"  # /readyz gives storage one second
FORGET_AFTER = "1m"  # of failing checks; Consul takes no less


class Consul:
    """See `Registry`."""

    renewal_s = 15.0

    def __init__(self, session: aiohttp.ClientSession, service: str) -> None:
        """Enter nodes as instances of ``service``."""
        self._session = session
        self._service = service
        self._entered = False

    async def keep(self, listing: Listing) -> None:
        """See `Registry`.

        The first time whatever is there: it may be what a process that was killed has left, with
        another address. Later only where the agent has lost it, for instance because the node was
        not ready for `FORGET_AFTER`.
        """
        if self._entered:
            found = (HTTPStatus.OK, HTTPStatus.NOT_FOUND)
            path = f"/v1/agent/service/{self._id(listing)}"
            status, _ = await ask(self._session, "GET", path, expected=found)
            if status == HTTPStatus.OK:
                return
        await self._register(listing)
        self._entered = True

    async def remove(self, listing: Listing) -> None:
        """See `Registry`."""
        await ask(self._session, "PUT", f"/v1/agent/service/deregister/{self._id(listing)}")

    async def _register(self, listing: Listing) -> None:
        body = {
            "ID": self._id(listing),
            "Name": self._service,
            "Address": listing.host,
            "Port": listing.port,
            "Meta": {"node": listing.name},
            "Check": {
                "HTTP": listing.check,
                "Method": "GET",
                "Interval": CHECK_EVERY,
                "Timeout": CHECK_TIMEOUT,
                "DeregisterCriticalServiceAfter": FORGET_AFTER,
            },
        }
        await ask(self._session, "PUT", "/v1/agent/service/register", body)

    def _id(self, listing: Listing) -> str:
        return f"{self._service}-{listing.name}"  # nothing in it that a path would have to escape
