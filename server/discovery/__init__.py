"""Where others find this node: Consul or etcd, if there is one. Nothing waits for it."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator

import aiohttp
from yarl import URL

from parley.namespaces.pausing import backoff_s
from parley.server.discovery.consul import Consul
from parley.server.discovery.etcd import Etcd
from parley.server.discovery.registry import Listing, Registry, RegistryUnavailable
from parley.server.settings import Settings

__all__ = ["listed"]

logger = logging.getLogger(__name__)

ANSWER_S = 2.0  # for the registry
FAREWELL_S = 0.5  # for the registry, when the server stops
FIRST_PAUSE_S = 0.5  # after a failure; each time twice as long
LONGEST_PAUSE_S = 8.0

_PORTS = {"consul": 8500, "etcd": 2379}  # unless the address names another


@contextlib.asynccontextmanager
async def listed(settings: Settings, *, name: str, port: int) -> AsyncIterator[None]:
    """Keep this node in the registry that the settings name meanwhile.

    A registry that is away is tried again for ever, and does no harm to the server.

    Args:
        name: Of this node.
        port: On which it listens.
    """
    if settings.discovery_url is None:
        yield
        return
    url = URL(settings.discovery_url)
    url = url.with_port(url.port or _PORTS[url.scheme])
    listing = _listing(settings, name, port)
    async with _opened(url) as registry:
        where = f"{url.scheme} at {url.authority}"
        keeping = asyncio.create_task(_keep(registry, listing, where))
        try:
            yield
        finally:
            keeping.cancel()
            await asyncio.wait([keeping])
            # One that does not answer forgets the node by itself.
            with contextlib.suppress(TimeoutError, RegistryUnavailable):
                async with asyncio.timeout(FAREWELL_S):
                    await registry.remove(listing)


def _listing(settings: Settings, name: str, port: int) -> Listing:
    host = settings.host
    if settings.advertise is not None:
        host, port = settings.advertise.host, settings.advertise.port or port
    return Listing(name=name, host=host, port=port)


@contextlib.asynccontextmanager
async def _opened(url: URL) -> AsyncIterator[Registry]:
    path = url.path.strip("/") or "parley"
    # In a header, so that no error that names an address shows it.
    headers = {"X-Consul-Token": url.query["token"]} if "token" in url.query else {}
    base = URL.build(scheme="http", host=url.host or "", port=url.port)
    timeout = aiohttp.ClientTimeout(total=ANSWER_S)
    async with aiohttp.ClientSession(base, headers=headers, timeout=timeout) as session:
        yield Consul(session, path) if url.scheme == "consul" else Etcd(session, f"/{path}")


async def _keep(registry: Registry, listing: Listing, where: str) -> None:
    """Log when the node is entered, and the first of several failures in a row."""
    failures, entered = 0, False
    while True:
        try:
            await registry.keep(listing)
        except RegistryUnavailable as error:
            if failures == 0:
                logger.warning("discovery: %s: %s; trying again until it does", where, error)
            pause = backoff_s(failures, first_s=FIRST_PAUSE_S, longest_s=LONGEST_PAUSE_S)
            failures += 1
        except Exception:
            logger.exception("discovery: %s", where)  # the next time may not
            pause = LONGEST_PAUSE_S
        else:
            if failures or not entered:
                logger.info("discovery: %s lists this node as %s", where, listing.name)
            failures, entered = 0, True
            pause = registry.renewal_s
        await asyncio.sleep(pause)
