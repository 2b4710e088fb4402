"""Measure; see README.md."""

import argparse
import signal
import sys
from pathlib import Path

from bench.chat import run as chat
from bench.cluster import run as cluster
from bench.engine import run as engine
from bench.paths import RESULTS, Unusable
from bench.presence import run as presence
from bench.resilience import run as resilience

BENCHMARKS = {
    "engine": engine.run,
    "chat": chat.run,
    "cluster": cluster.run,
    "presence": presence.run,
    "jitter": resilience.run_jitter,
    "avalanche": resilience.run_avalanche,
}


def main() -> int:
    """Run what was chosen, one after the other; a loss in any of them is a failure."""
    chosen = _options()
    out = None if chosen.quick and chosen.out is None else chosen.out or RESULTS
    fine = [_ran(name, chosen, out) for name in chosen.which or BENCHMARKS]
    return 0 if all(fine) else 1


def _ran(name: str, chosen: argparse.Namespace, out: Path | None) -> bool:
    """Return whether it ran and lost nothing; where it cannot run, the others may."""
    try:
        return BENCHMARKS[name](chosen, out)
    except Unusable as problem:
        print(f"{name}: {problem}", file=sys.stderr)
        return False


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "which", nargs="*", help=f"of {', '.join(BENCHMARKS)}; nothing: all of them"
    )
    parser.add_argument(
        "--quick", action="store_true", help="for a first look; writes only with --out"
    )
    parser.add_argument("--out", type=Path, help="default bench/results")
    parser.add_argument(
        "--patience", type=float, default=0, help="seconds to wait for an idle machine, each case"
    )
    parser.add_argument(
        "--parley",
        type=Path,
        default=Path(sys.executable).parent / "parley",
        help="the command of another checkout, to compare",
    )
    for benchmark in (engine, chat, presence, resilience):
        benchmark.options(parser)
    chosen = parser.parse_args()
    if unknown := set(chosen.which) - set(BENCHMARKS):
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    return chosen


def _interrupted(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    if sys.platform != "linux":
        sys.exit("The load generators need Linux (epoll, /proc).")
    signal.signal(signal.SIGTERM, _interrupted)  # stops the servers too
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
