"""Ending tasks that wait for Redis."""

import asyncio

AGAIN_S = 0.1


async def end(*tasks: "asyncio.Task[None]") -> None:
    """Cancel tasks and wait until they have ended.

    Until Python 3.12 ``asyncio.wait_for``, which redis-py writes with, may keep a cancellation to
    itself; so one that goes on is cancelled again.
    """
    going = set(tasks)
    while going:
        for task in going:
            task.cancel()
        _, going = await asyncio.wait(going, timeout=AGAIN_S)
