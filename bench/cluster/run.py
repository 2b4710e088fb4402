"""Measure `chat` on MongoDB, three nodes, and what a hop from node to node costs."""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from bench import generator, machine, node
from bench.chat import hotspots
from bench.chat.hotspots import Hotspots, Recording
from bench.chat.load import Schedule, load
from bench.chat.world import plan_of
from bench.cluster.cases import HOT, ONE_PROCESS, THREE_NODES, Setting, at_half
from bench.cluster.cases import hops as chat_hops
from bench.cluster.figures import Figures
from bench.cluster.hop import IN_FLIGHT, hops
from bench.cluster.report import Profile, Report
from bench.cluster.services import Meter, Services
from bench.paths import scratch
from bench.peers import SERVERS
from parley.server.keys import SigningKey

FULL = Schedule(warm_up=2, window=3, windows=3)
QUICK = Schedule(warm_up=1, window=1, windows=2)
PROFILED = (ONE_PROCESS[1], HOT)


def run(chosen: argparse.Namespace, out: Path | None) -> bool:
    """Measure, print, write to ``out``; return whether nothing was lost."""
    node.install(SERVERS)
    schedule = QUICK if chosen.quick else FULL
    with Services.running() as services:
        bench = Bench(chosen.parley, schedule, chosen.patience, services)
        report = Report(
            machine=machine.description(),
            schedule=f"{schedule.windows} windows of {schedule.window:g} s.",
            one_process=bench.measure(ONE_PROCESS),
            three_nodes=bench.at_full_and_half(THREE_NODES),
            chat_hops=[bench.measure(chat_hops(in_flight)) for in_flight in IN_FLIGHT],
            hops=hops(services.redis, schedule),
            profiles=[] if chosen.no_profile else bench.profiles(PROFILED),
        )
    report.show()
    if out:
        report.write(out)
    return not report.losses


class Bench:
    """Loads nodes, each time new ones with a new database."""

    def __init__(
        self, parley: Path, schedule: Schedule, patience: float, services: Services
    ) -> None:
        self._parley = parley
        self._schedule = schedule
        self._patience = patience
        self._services = services
        self._generator = generator.build("chat")

    def measure(self, settings: Sequence[Setting]) -> list[Figures]:
        """Load one after the other."""
        return [self._run(setting)[0] for setting in settings]

    def at_full_and_half(self, settings: Sequence[Setting]) -> list[Figures]:
        """Load one after the other; the last once more, with the half of what it reached."""
        full = self.measure(settings)
        return [*full, *self.measure([at_half(settings[-1], full[-1].acked_per_s)])]

    def profiles(self, settings: Sequence[Setting]) -> list[Profile]:
        """Do it once more with py-spy at the first node."""
        py_spy = hotspots.find_py_spy()
        if py_spy is None:
            print("no profile: pip install py-spy", file=sys.stderr)
            return []
        runs = [self._run(setting, py_spy) for setting in settings]
        return [Profile(figures, found) for figures, found in runs if found is not None]

    def _run(self, setting: Setting, py_spy: str | None = None) -> tuple[Figures, Hotspots | None]:
        print(f"{setting.name} ...", file=sys.stderr)
        machine.wait_until_idle(self._patience)
        key = SigningKey.generate()
        recordings: list[Recording] = []
        with (
            scratch("plan") as folder,
            self._services.nodes(self._parley, setting, key) as nodes,
        ):
            plan = folder / "plan"
            first = nodes.servers[0]
            plan.write_text(asyncio.run(plan_of(setting.case, first, key, named=True)))
            meter = Meter(nodes.processes)

            def measuring() -> None:
                meter.begin()
                if py_spy:
                    output = folder / "profile"
                    seconds = self._schedule.measured
                    recordings.append(Recording(py_spy, first.pid, seconds, output))

            answer = load(
                self._generator,
                plan,
                nodes.servers,
                self._schedule,
                senders=[setting.case.senders],
                interval_s=setting.case.interval_s,
                on_measuring=measuring,
                on_measured=meter.end,
            )
            found = recordings[0].result() if recordings else None
        return Figures.of(setting, answer, meter.used), found
