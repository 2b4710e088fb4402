"""Avalanche: the process is killed under a full house, and started again."""

import asyncio
import os
import signal
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from bench.machine import cpu_s
from bench.paths import scratch
from bench.resilience.crowd import Crowd, gathered
from bench.resilience.figures import Heard
from bench.resilience.houses import House

PATIENCE_MS = 240_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Avalanche:
    """How it is done."""

    clients: int
    processes: int
    room_size: int = 100
    before_s: float = 3  # messages before the kill
    after_s: float = 12
    per_s: float = 2
    transports: Sequence[str] = ("websocket",)

    @property
    def said(self) -> int:
        """Return how many messages there are."""
        return round((self.before_s + self.after_s) * self.per_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of it; seconds from the kill."""

    house: str
    started_s: float  # until the new process listened
    half_s: float | None  # until half of the clients were back and up to date; None: never
    all_s: float | None
    server_s: float  # processor time of the new process, until all were back
    clients_s: float  # of all clients, meanwhile
    back: int
    heard: Heard


async def avalanche(house: House, how: Avalanche) -> Result:
    """Do it in one house."""
    with scratch("avalanche") as folder, ExitStack() as stack:
        pid = stack.enter_context(house.serving(folder))
        plan = await house.plan(how.clients, room_size=how.room_size)
        async with gathered(
            plan, folder, processes=how.processes, transports=how.transports
        ) as crowd:
            saying = asyncio.create_task(crowd.say(count=how.said, per_s=how.per_s))
            await asyncio.sleep(how.before_s)
            killed, clients_s = time.time(), crowd.cpu_s
            os.kill(pid, signal.SIGKILL)
            pid = stack.enter_context(house.serving(folder))
            started = time.time() - killed
            back = await _back(crowd, killed)
            spent = cpu_s(pid), crowd.cpu_s - clients_s
            await saying
            counted = await crowd.count(count=how.said, patience=PATIENCE_MS)
    return _result(house, started, back, spent, Heard.of(counted, said=how.said))


async def _back(crowd: Crowd, since: float) -> list[float | None]:
    answers = await crowd.all("back", since=since * 1e3, patience=PATIENCE_MS)
    return [seconds for answer in answers for seconds in answer["seconds"]]


def _result(
    house: House,
    started: float,
    back: list[float | None],
    spent: tuple[float, float],
    heard: Heard,
) -> Result:
    here = sorted(seconds for seconds in back if seconds is not None)
    half = len(back) // 2
    return Result(
        house=house.name,
        started_s=started,
        half_s=here[half] if len(here) > half else None,
        all_s=here[-1] if len(here) == len(back) else None,
        server_s=spent[0],
        clients_s=spent[1],
        back=len(here),
        heard=heard,
    )
