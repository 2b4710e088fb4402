"""A pause ends when its time is over, or when somebody ends it."""

import asyncio

from parley.namespaces.pausing import Pause


async def test_it_ends_early() -> None:
    pause = Pause()
    pausing = asyncio.create_task(pause(3_600))
    await asyncio.sleep(0)
    pause.end()
    await asyncio.wait_for(pausing, 10)


async def test_one_that_was_ended_before_does_not_begin() -> None:
    """What happened during a round is not left to the one after the next pause; only once."""
    pause = Pause()
    pause.end()
    await asyncio.wait_for(pause(3_600), 10)
    again = asyncio.create_task(pause(3_600))
    done, _ = await asyncio.wait([again], timeout=0.05)
    assert not done
    again.cancel()


async def test_it_ends_by_itself() -> None:
    await asyncio.wait_for(Pause()(0.01), 10)
