"""What is done again and again, whatever storage says."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable

from parley.storage.errors import StorageUnavailable

logger = logging.getLogger(__name__)


@contextlib.asynccontextmanager
async def repeating(
    do: Callable[[], Awaitable[object]], *, every_s: float, name: str
) -> AsyncIterator[None]:
    """Do something every ``every_s`` seconds meanwhile, the first time after the first of them."""
    task = asyncio.create_task(_forever(do, every_s, name))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def _forever(do: Callable[[], Awaitable[object]], every_s: float, name: str) -> None:
    while True:
        await asyncio.sleep(every_s)
        try:
            await do()
        except StorageUnavailable as error:
            logger.warning("%s: storage does not answer: %s", name, error)
        except Exception:
            logger.exception("%s failed", name)  # the next time may not
