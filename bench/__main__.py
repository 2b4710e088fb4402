"""Measure the whole way of a ``chat`` message on SQLite; see README.md."""

import argparse
import asyncio
import signal
import sys
import tempfile
from pathlib import Path

from bench import generator, hotspots, machine
from bench.figures import Case, Figures
from bench.generator import Schedule
from bench.hotspots import Hotspots, Recording
from bench.paths import CACHE, RESULTS, Unusable
from bench.report import Report
from bench.server import serving
from bench.world import plan_of
from parley.server.keys import SigningKey

# Full rooms, and once the same senders in many rooms: less is shared there.
CASES = (
    Case(senders=1, rooms=1),
    Case(senders=64, rooms=2),
    Case(senders=256, rooms=6),
    Case(senders=256, rooms=64),
)
PROFILED = CASES[2]
QUICK = Schedule(warm_up=1, window=1, windows=2)


class Bench:
    """Runs one case after the other, each on a server and a database of its own."""

    def __init__(self, parley: Path, schedule: Schedule, patience: float) -> None:
        self._parley = parley
        self._patience = patience
        self._schedule = schedule
        self._generator = generator.build()

    def measure(self, case: Case) -> Figures:
        """Load a new server."""
        print(f"{case.name}: {case.clients} connections ...", file=sys.stderr)
        return self._run(case)[0]

    def profile(self, case: Case) -> Hotspots | None:
        """Do it once more with py-spy at the server; its figures are not used."""
        py_spy = hotspots.find_py_spy()
        if py_spy is None:
            print("no profile: pip install py-spy", file=sys.stderr)
            return None
        print(f"{case.name}: once more, profiled ...", file=sys.stderr)
        return self._run(case, py_spy)[1]

    def _run(self, case: Case, py_spy: str | None = None) -> tuple[Figures, Hotspots | None]:
        machine.wait_until_idle(self._patience)
        key = SigningKey.generate()
        recordings: list[Recording] = []
        # Not in /tmp, which may be memory: here a commit costs what the checkout's disk takes.
        with tempfile.TemporaryDirectory(dir=CACHE, prefix="data-") as name:
            folder = Path(name)
            disk_ms = machine.disk_ms(folder)
            with serving(self._parley, folder, key) as server:
                plan = folder / "plan"
                plan.write_text(asyncio.run(plan_of(case, server, key)))

                def record() -> None:
                    if py_spy:
                        seconds = self._schedule.measured
                        output = folder / "profile"
                        recordings.append(Recording(py_spy, server.pid, seconds, output))

                answer = generator.load(
                    self._generator, plan, server, self._schedule, on_measuring=record
                )
                found = recordings[0].result() if recordings else None
        return Figures.of(case, answer, disk_ms), found


def main() -> int:
    """Measure, print, write."""
    options = _options()
    schedule = QUICK if options.quick else Schedule(
        warm_up=options.warm_up, window=options.window, windows=options.windows
    )  # fmt: skip
    try:
        bench = Bench(options.parley, schedule, options.patience)
        figures = [bench.measure(case) for case in CASES]
        found = None if options.no_profile else bench.profile(PROFILED)
    except Unusable as problem:
        print(problem, file=sys.stderr)
        return 1
    report = Report(
        machine=machine.description(),
        schedule=f"{schedule.windows} windows of {schedule.window:g} s.",
        figures=figures,
        profiled=figures[CASES.index(PROFILED)],
        hotspots=found,
    )
    report.show()
    if not options.quick or options.out != RESULTS:
        report.write(options.out)
    return 1 if any(row.losses for row in figures) else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="for a first look; writes only with --out"
    )
    parser.add_argument("--warm-up", type=float, default=3, help="seconds, default 3")
    parser.add_argument("--window", type=float, default=5, help="seconds, default 5")
    parser.add_argument("--windows", type=int, default=5, help="default 5")
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
