"""etcd, by the JSON gateway of its API version 3: a key for each node, held by a lease."""

import base64
from typing import Any, cast

import aiohttp
import orjson

from parley.server.discovery.registry import Listing, RegistryUnavailable, ask

LEASE_S = 10  # a node that was killed is gone after so long


class Etcd:
    """See `Registry`."""

    renewal_s = LEASE_S / 3  # two renewals in a row may fail

    def __init__(self, session: aiohttp.ClientSession, prefix: str) -> None:
        """Enter nodes below the key ``prefix``."""
        self._session = session
        self._prefix = prefix
        self._lease: str | None = None  # 64 bits, which JSON carries as text

    async def keep(self, listing: Listing) -> None:
        """See `Registry`."""
        if self._lease is not None and await self._renewed(self._lease):
            return
        # A lease counts when the key hangs on it. One without a key is not renewed, and ends.
        self._lease = None
        lease = await self._granted()
        await self._put(listing, lease)
        self._lease = lease

    async def remove(self, listing: Listing) -> None:
        """See `Registry`: the key goes with its lease."""
        if self._lease is not None:
            await self._call("lease/revoke", {"ID": self._lease})

    async def _granted(self) -> str:
        match await self._call("lease/grant", {"TTL": LEASE_S}):
            case {"ID": str(lease)}:
                return lease
            case answer:
                raise RegistryUnavailable(f"lease/grant was answered {answer}")

    async def _put(self, listing: Listing, lease: str) -> None:
        value = {
            "name": listing.name,
            "address": listing.host,
            "port": listing.port,
            "check": listing.check,
        }
        key = f"{self._prefix}/{listing.name}".encode()
        entry = {"key": _base64(key), "value": _base64(orjson.dumps(value)), "lease": lease}
        await self._call("kv/put", entry)

    async def _renewed(self, lease: str) -> bool:
        """Return whether there still is such a lease."""
        # The answer is a stream, of which one request makes one line.
        match (await self._call("lease/keepalive", {"ID": lease})).get("result"):
            case {"TTL": str(seconds)}:
                return seconds != "0"
            case {"ID": _}:
                return False  # no TTL: what is zero is left out
            case answer:
                raise RegistryUnavailable(f"lease/keepalive was answered {answer}")

    async def _call(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        _, text = await ask(self._session, "POST", f"/v3/{path}", body)
        try:
            answer: Any = orjson.loads(text)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise RegistryUnavailable(f"{path} was answered, but not with an object")
        return cast("dict[str, Any]", answer)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
