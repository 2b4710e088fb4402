"""One step after the other, and those who wait for what they asked for to be through."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterable

from parley.storage.errors import StorageUnavailable

logger = logging.getLogger(__name__)

RETRY_S = 1.0


class Steps:
    """Takes a step when something has happened, or when one is due by itself."""

    def __init__(self, advance: Callable[[], Awaitable[float]], behind: Callable[[], bool]) -> None:
        """Let ``advance`` do all there is to do, and return in how many seconds there is more.

        ``behind`` tells whether there is something to do.
        """
        self._advance = advance
        self._behind = behind
        self._something = asyncio.Event()
        self._under_way = False
        self._waiting: list[asyncio.Future[None]] = []

    def wake(self) -> None:
        """Take a step soon."""
        self._something.set()

    def settled(self) -> "asyncio.Future[None]":
        """Return what is done when all that happened so far is done with.

        It fails with `StorageUnavailable` if the next step fails: a later one will do it.
        """
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if not self._behind() and not self._under_way:
            future.set_result(None)
            return future
        # Who asked may be gone when it fails.
        future.add_done_callback(lambda done: done.cancelled() or done.exception())
        self._waiting.append(future)
        self._something.set()
        return future

    async def forever(self) -> None:
        """Take steps, whatever storage does."""
        told = False
        while True:
            self._something.clear()
            try:
                wait_s = await self.once()
                told = False
            except StorageUnavailable as error:
                if not told:  # a line a second would hide the others
                    logger.warning("presence: storage does not answer: %s", error)
                told = True
                wait_s = RETRY_S
            except Exception:
                logger.exception("presence failed")  # the next step may not
                wait_s = RETRY_S
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._something.wait()

    async def once(self) -> float:
        """Take a step and return how long nothing is due, in seconds.

        Raises:
            StorageUnavailable: Some of it is left to a later step.
        """
        waiting, self._waiting = self._waiting, []
        self._under_way = True
        try:
            wait_s = await self._advance()
        except BaseException as error:
            _end(waiting, StorageUnavailable(f"presence: {error}"))
            raise
        finally:
            self._under_way = False
        _end(waiting)
        return wait_s


def _end(waiting: Iterable["asyncio.Future[None]"], error: Exception | None = None) -> None:
    for future in waiting:
        if future.done():
            continue  # whoever asked is gone
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(error)
