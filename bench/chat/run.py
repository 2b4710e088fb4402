"""Measure the whole way of a ``chat`` message on SQLite."""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from bench import generator, machine
from bench.chat import hotspots, tables
from bench.chat.cases import MANY_ROOMS, MESSAGES, PROFILED, Case, big_rooms, half, runs
from bench.chat.figures import Figures, figures_of
from bench.chat.hotspots import Hotspots, Recording
from bench.chat.load import Schedule, load
from bench.chat.report import Report
from bench.chat.server import serving
from bench.chat.tables import Sheet
from bench.chat.world import plan_of
from bench.paths import scratch
from parley.server.keys import SigningKey

MEMBERS = 1_000  # of a big room
WATCHERS = 5_000
QUICK = Schedule(warm_up=1, window=1, windows=2)
QUICK_CROWD = 0.2  # of the members and watchers of big rooms


def options(parser: argparse.ArgumentParser) -> None:
    """Add what can be chosen."""
    group = parser.add_argument_group("chat")
    group.add_argument("--warm-up", type=float, default=2, help="seconds, default 2")
    group.add_argument("--window", type=float, default=3, help="seconds, default 3")
    group.add_argument("--windows", type=int, default=4, help="default 4")
    group.add_argument("--no-profile", action="store_true")


def run(chosen: argparse.Namespace, out: Path | None) -> bool:
    """Measure, print, write to ``out``; return whether nothing was lost."""
    report = _report(chosen)
    report.show()
    if out:
        report.write(out)
    return not any(row.losses for row in report.figures)


class Bench:
    """Runs cases, on new servers with new databases."""

    def __init__(self, parley: Path, schedule: Schedule, patience: float) -> None:
        self._parley = parley
        self._patience = patience
        self._schedule = schedule
        self._generator = generator.build("chat")

    def measure(self, cases: Sequence[Case]) -> list[Figures]:
        """Load a new server with cases that differ in the number of senders only."""
        names = ", then ".join(case.name for case in cases)
        print(f"{names}: {cases[-1].connections:,} connections ...", file=sys.stderr)
        return self._run(cases)[0]

    def profile(self, case: Case) -> Hotspots | None:
        """Do it once more with py-spy at the server; its figures are not used."""
        py_spy = hotspots.find_py_spy()
        if py_spy is None:
            print("no profile: pip install py-spy", file=sys.stderr)
            return None
        print(f"{case.name}: once more, profiled ...", file=sys.stderr)
        return self._run([case], py_spy)[1]

    def _run(
        self, cases: Sequence[Case], py_spy: str | None = None
    ) -> tuple[list[Figures], Hotspots | None]:
        machine.wait_until_idle(self._patience)
        key = SigningKey.generate()
        recordings: list[Recording] = []
        with scratch("data") as folder:
            disk_ms = machine.disk_ms(folder)
            with serving(self._parley, folder, key) as server:
                plan = folder / "plan"
                plan.write_text(asyncio.run(plan_of(cases[-1], server, key)))

                def record() -> None:
                    if py_spy:
                        seconds = self._schedule.measured
                        output = folder / "profile"
                        recordings.append(Recording(py_spy, server.pid, seconds, output))

                answer = load(
                    self._generator,
                    plan,
                    [server],
                    self._schedule,
                    senders=[case.senders for case in cases],
                    interval_s=cases[-1].interval_s,
                    on_measuring=record,
                )
                found = recordings[0].result() if recordings else None
        return figures_of(cases, answer, disk_ms), found


def _report(chosen: argparse.Namespace) -> Report:
    schedule = QUICK if chosen.quick else Schedule(
        warm_up=chosen.warm_up, window=chosen.window, windows=chosen.windows
    )  # fmt: skip
    messages = MESSAGES if chosen.quick else (*MESSAGES, MANY_ROOMS)
    crowd = QUICK_CROWD if chosen.quick else 1
    rooms = big_rooms(round(MEMBERS * crowd), round(WATCHERS * crowd))
    bench = Bench(chosen.parley, schedule, chosen.patience)
    figures = {row.case: row for cases in runs(messages, rooms) for row in bench.measure(cases)}
    calm = half(PROFILED, figures[PROFILED].acked_per_s)
    (figures[calm],) = bench.measure([calm])
    return Report(
        machine=machine.description(),
        schedule=f"{schedule.windows} windows of {schedule.window:g} s.",
        figures=list(figures.values()),
        sheets=[
            Sheet("Messages", tables.MESSAGES, {case: figures[case] for case in (*messages, calm)}),
            Sheet("Big rooms", tables.BIG_ROOMS, {case: figures[case] for case in rooms}),
        ],
        full=figures[PROFILED],
        half=figures[calm],
        hotspots=None if chosen.no_profile else bench.profile(PROFILED),
    )
