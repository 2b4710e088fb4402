"""Tasks end, also those that keep a cancellation to themselves."""

import asyncio

from parley.storage.redis.ending import end


async def test_one_that_swallows_a_cancellation_ends() -> None:
    swallowed = asyncio.Event()

    async def stubborn() -> None:
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                if swallowed.is_set():
                    raise
                swallowed.set()

    task, other = asyncio.create_task(stubborn()), asyncio.create_task(asyncio.sleep(60))
    await asyncio.sleep(0)
    await end(task, other)
    assert swallowed.is_set()
    assert (task.cancelled(), other.cancelled()) == (True, True)
