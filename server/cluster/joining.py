"""How a process becomes one of the nodes, and stays one."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator

from parley.storage.errors import RedisInUse, StorageUnavailable
from parley.storage.expiring import NodeRegistry

logger = logging.getLogger(__name__)

RENEWAL_S = 5.0  # a third of a lease: two renewals in a row may fail
FAREWELL_S = 0.5


@contextlib.asynccontextmanager
async def joined(
    nodes: NodeRegistry, server_id: str, *, store_id: str, fingerprint: str, place: str | None
) -> AsyncGenerator[None, None]:
    """Be one of the nodes meanwhile; see `NodeRegistry.join`.

    A Redis that does not answer keeps nobody from starting: it is looked at as soon as it does.

    Raises:
        RedisInUse: It belongs to others.
    """
    try:
        await nodes.join(server_id, store_id=store_id, fingerprint=fingerprint, place=place)
    except StorageUnavailable as error:
        logger.warning("no other node is known: %s", error)
    task = asyncio.create_task(_renew_forever(nodes))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
        with contextlib.suppress(StorageUnavailable, TimeoutError):
            async with asyncio.timeout(FAREWELL_S):
                await nodes.leave()


async def _renew_forever(nodes: NodeRegistry) -> None:
    while True:
        await asyncio.sleep(RENEWAL_S)
        try:
            await nodes.renew()
        except StorageUnavailable as error:
            logger.warning("other nodes may not know this one: %s", error)
        except RedisInUse as error:
            # Redis has lost what it knew, and somebody else was faster. People are connected
            # here: they are served, and the operator is told.
            logger.error("%s", error)  # noqa: TRY400 (the sentence is all there is to say)
        except Exception:
            logger.exception("the renewal of this node failed")  # the next may not
