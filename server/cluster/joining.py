"""How a process becomes one of the nodes, and stays one."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Mapping

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
    namesakes = _Namesakes(server_id)
    try:
        await nodes.join(server_id, store_id=store_id, fingerprint=fingerprint, place=place)
        namesakes.look(await nodes.others())
    except StorageUnavailable as error:
        logger.warning("no other node is known: %s", error)
    task = asyncio.create_task(_renew_forever(nodes, namesakes))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
        with contextlib.suppress(StorageUnavailable, TimeoutError):
            async with asyncio.timeout(FAREWELL_S):
                await nodes.leave()


class _Namesakes:
    """Tells the operator where another living node has this one's name.

    A forerunner that was killed is among the others until its lease ends; it does not renew it.
    """

    def __init__(self, server_id: str) -> None:
        self._id = server_id
        self._seen: Mapping[str, int] = {}
        self._told = set[str]()

    def look(self, others: Mapping[str, int]) -> None:
        """Complain once of each namesake that has renewed its lease since the last look."""
        for id, renewed in others.items():
            lives = renewed > self._seen.get(id, renewed)
            if lives and _name(id) == _name(self._id) and id not in self._told:
                self._told.add(id)
                logger.error(_NAMESAKE, _name(id), id, self._id)
        self._seen = others


_NAMESAKE = (
    "PARLEY_NODE: two living nodes have the name %s, %s and this one, %s: proxies send clients "
    "of one to the other, which does not know them; give each node a name of its own"
)


def _name(server_id: str) -> str:
    """Return what the operator, or chance, has named a node; what follows is of one start."""
    return server_id.partition("-")[0]


async def _renew_forever(nodes: NodeRegistry, namesakes: _Namesakes) -> None:
    while True:
        await asyncio.sleep(RENEWAL_S)
        try:
            await nodes.renew()
            namesakes.look(await nodes.others())
        except StorageUnavailable as error:
            logger.warning("other nodes may not know this one: %s", error)
        except RedisInUse as error:
            # Redis has lost what it knew, and somebody else was faster. People are connected
            # here: they are served, and the operator is told.
            logger.error("%s", error)  # noqa: TRY400 (the sentence is all there is to say)
        except Exception:
            logger.exception("the renewal of this node failed")  # the next may not
