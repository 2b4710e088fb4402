"""Jitter: everybody is cut off again and again while messages flow."""

import asyncio
from dataclasses import dataclass

from bench.paths import scratch
from bench.resilience.crowd import Crowd, gathered
from bench.resilience.figures import Heard
from bench.resilience.houses import House

PATIENCE_MS = 60_000  # for the last one to come back and catch up


@dataclass(frozen=True, slots=True, kw_only=True)
class Jitter:
    """How it is done."""

    clients: int
    processes: int
    room_size: int = 500
    seconds: float
    off_s: float = 2
    on_s: float = 6  # more or less, until the next cut
    per_s: float = 10  # messages

    @property
    def said(self) -> int:
        """Return how many messages there are."""
        return round(self.seconds * self.per_s)


@dataclass(frozen=True, slots=True)
class Result:
    """What came of it."""

    house: str
    cuts: int
    heard: Heard


async def jitter(house: House, how: Jitter) -> Result:
    """Do it in one house."""
    with scratch("jitter") as folder, house.serving(folder):
        plan = await house.plan(how.clients, room_size=how.room_size)
        async with gathered(plan, folder, processes=how.processes, cuts=True) as crowd:
            return await _jitter(house, how, crowd)


async def _jitter(house: House, how: Jitter, crowd: Crowd) -> Result:
    during = how.seconds * 1e3
    suffered, _ = await asyncio.gather(
        crowd.all("suffer", off=how.off_s * 1e3, on=how.on_s * 1e3, during=during),
        crowd.say(count=how.said, per_s=how.per_s),
    )
    counted = await crowd.count(count=how.said, patience=PATIENCE_MS)
    cuts = sum(answer["cuts"] for answer in suffered)
    return Result(house.name, cuts, Heard.of(counted, said=how.said))
