"""Where things are."""

from pathlib import Path

BENCH = Path(__file__).parent
CACHE = BENCH.parent / ".cache" / "bench"
RESULTS = BENCH / "results"


class Unusable(Exception):
    """The benchmark cannot run, or its figures would mean nothing; the text says why."""
