"""Measure the whole way of a ``chat`` message on SQLite; see README.md."""

import argparse
import asyncio
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench import generator, hotspots, machine, tables
from bench.cases import MANY_ROOMS, MESSAGES, PROFILED, Case, big_rooms, runs
from bench.figures import Figures, figures_of
from bench.generator import Schedule
from bench.hotspots import Hotspots, Recording
from bench.paths import CACHE, RESULTS, Unusable
from bench.report import Report
from bench.server import serving
from bench.tables import Sheet
from bench.world import plan_of
from parley.server.keys import SigningKey

MEMBERS = 1_000  # of a big room
WATCHERS = 5_000
QUICK = Schedule(warm_up=1, window=1, windows=2)
QUICK_CROWD = 0.2  # of the members and watchers of big rooms


class Bench:
    """Runs cases, on new servers with new databases."""

    def __init__(self, parley: Path, schedule: Schedule, patience: float) -> None:
        self._parley = parley
        self._patience = patience
        self._schedule = schedule
        self._generator = generator.build()

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
        # Not in /tmp, which may be memory: here a commit costs what the checkout's disk takes.
        with tempfile.TemporaryDirectory(dir=CACHE, prefix="data-") as name:
            folder = Path(name)
            disk_ms = machine.disk_ms(folder)
            with serving(self._parley, folder, key) as server:
                plan = folder / "plan"
                plan.write_text(asyncio.run(plan_of(cases[-1], server, key)))

                def record() -> None:
                    if py_spy:
                        seconds = self._schedule.measured
                        output = folder / "profile"
                        recordings.append(Recording(py_spy, server.pid, seconds, output))

                answer = generator.load(
                    self._generator,
                    plan,
                    server,
                    self._schedule,
                    senders=[case.senders for case in cases],
                    on_measuring=record,
                )
                found = recordings[0].result() if recordings else None
        return figures_of(cases, answer, disk_ms), found


def main() -> int:
    """Measure, print, write."""
    options = _options()
    try:
        report = _report(options)
    except Unusable as problem:
        print(problem, file=sys.stderr)
        return 1
    report.show()
    if not options.quick or options.out != RESULTS:
        report.write(options.out)
    return 1 if any(row.losses for row in report.figures) else 0


def _report(options: argparse.Namespace) -> Report:
    schedule = QUICK if options.quick else Schedule(
        warm_up=options.warm_up, window=options.window, windows=options.windows
    )  # fmt: skip
    messages = MESSAGES if options.quick else (*MESSAGES, MANY_ROOMS)
    crowd = QUICK_CROWD if options.quick else 1
    rooms = big_rooms(round(MEMBERS * crowd), round(WATCHERS * crowd))
    bench = Bench(options.parley, schedule, options.patience)
    figures = {row.case: row for cases in runs(messages, rooms) for row in bench.measure(cases)}
    return Report(
        machine=machine.description(),
        schedule=f"{schedule.windows} windows of {schedule.window:g} s.",
        figures=list(figures.values()),
        sheets=[
            Sheet("Messages", tables.MESSAGES, {case: figures[case] for case in messages}),
            Sheet("Big rooms", tables.BIG_ROOMS, {case: figures[case] for case in rooms}),
        ],
        profiled=figures[PROFILED],
        hotspots=None if options.no_profile else bench.profile(PROFILED),
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="for a first look; writes only with --out"
    )
    parser.add_argument("--warm-up", type=float, default=2, help="seconds, default 2")
    parser.add_argument("--window", type=float, default=3, help="seconds, default 3")
    parser.add_argument("--windows", type=int, default=4, help="default 4")
    parser.add_argument(
        "--patience", type=float, default=0, help="seconds to wait for an idle machine, each case"
    )
    parser.add_argument("--no-profile", action="store_true")
    parser.add_argument("--out", type=Path, default=RESULTS, help="default bench/results")
    parser.add_argument(
        "--parley",
        type=Path,
        default=Path(sys.executable).parent / "parley",
        help="the command of another checkout, to compare",
    )
    return parser.parse_args()


def _interrupted(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    if sys.platform != "linux":
        sys.exit("The load generator needs Linux (epoll, /proc).")
    signal.signal(signal.SIGTERM, _interrupted)  # stops the server too
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
