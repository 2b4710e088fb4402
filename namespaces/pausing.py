"""The time between two rounds of what is done again and again."""

import asyncio
import contextlib
import random


def backoff_s(failures: int, *, first_s: float, longest_s: float) -> float:
    """Return how long to wait: longer after each failure, and not the same for all who wait."""
    longest = min(first_s * float(2 ** min(failures, 16)), longest_s)
    return longest * random.uniform(0.5, 1.0)  # noqa: S311 (spreads load, guards nothing)


class Pause:
    """Ends early when somebody knows that there is something to do."""

    def __init__(self) -> None:
        self._cut_short = asyncio.Event()

    def end(self) -> None:
        """End the pause there is, or the next one if a round is under way."""
        self._cut_short.set()

    async def __call__(self, at_most_s: float) -> None:
        """Pause."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(at_most_s):
                await self._cut_short.wait()
        self._cut_short.clear()
