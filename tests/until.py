"""Waiting for what nothing tells of."""

import asyncio
from collections.abc import Callable

PATIENCE_S = 30.0


async def until(holds: Callable[[], object]) -> None:
    """Return when something holds that nothing tells of."""
    async with asyncio.timeout(PATIENCE_S):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
