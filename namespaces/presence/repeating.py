"""What is done again and again, whatever storage says."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable

from parley.namespaces.pausing import Pause
from parley.storage.errors import StorageUnavailable

logger = logging.getLogger(__name__)


@contextlib.asynccontextmanager
async def repeating(
    do: Callable[[], Awaitable[object]], *, every_s: float, name: str, pause: Pause | None = None
) -> AsyncIterator[None]:
    """Do something every ``every_s`` seconds meanwhile, the first time after the first of them.

    Args:
        pause: Whoever ends it has it done at once.
    """
    task = asyncio.create_task(_forever(do, every_s, name, pause or Pause()))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def _forever(
    do: Callable[[], Awaitable[object]], every_s: float, name: str, pause: Pause
) -> None:
    while True:
        await pause(every_s)
        try:
            await do()
        except StorageUnavailable as error:
            logger.warning("%s: storage does not answer: %s", name, error)
        except Exception:
            logger.exception("%s failed", name)  # the next time may not
