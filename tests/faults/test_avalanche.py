"""A restart under a full house is survived (promise 24); ``make bench`` does it with 5,000."""

import pytest

from bench.resilience.avalanche import Avalanche, avalanche
from bench.resilience.houses import House
from tests.faults.measures import tell

FULL = Avalanche(clients=300, processes=1)


@pytest.mark.node
@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_all_come_back_after_a_kill_and_miss_nothing(house: House) -> None:
    """Nobody stays away, and everybody has every message once and in order."""
    result = await avalanche(house, FULL)
    tell(f"half back in {result.half_s} s, all in {result.all_s} s; {result.heard}")
    assert result.back == result.heard.clients == FULL.clients
    assert result.heard.perfect
