"""Where things are."""

import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

BENCH = Path(__file__).parent
CACHE = BENCH.parent / ".cache" / "bench"
RESULTS = BENCH / "results"


class Unusable(Exception):
    """The benchmark cannot run, or its figures would mean nothing; the text says why."""


@contextmanager
def scratch(name: str) -> Generator[Path]:
    """Make a folder that is gone at the end.

    Not in /tmp, which may be memory: here a commit costs what the checkout's disk takes.
    """
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE, prefix=f"{name}-") as folder:
        yield Path(folder)
