"""A blinking network costs nothing (promise 23); ``make bench`` does the same with 500 clients."""

import pytest

from bench.resilience.houses import House
from bench.resilience.jitter import Jitter, jitter
from tests.faults.measures import tell

# Everybody is cut off twice at least, wherever chance lets it begin.
BLINKING = Jitter(clients=40, processes=1, seconds=15, on_s=3)


@pytest.mark.node
@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_who_is_cut_off_again_and_again_misses_nothing(house: House) -> None:
    """Everybody has every message once and in order, with the client of the chat page."""
    await costs_nothing(house, BLINKING)


async def costs_nothing(house: House, how: Jitter) -> None:
    """Cut everybody off, and look at what they have in the end."""
    result = await jitter(house, how)
    tell(f"{result.cuts} cuts; {result.heard}")
    assert result.cuts >= 2 * how.clients
    assert result.heard.clients == how.clients
    assert result.heard.perfect
