"""The load generators: C, because Python could not keep up with the servers (bench/load)."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bench.paths import BENCH, CACHE, Unusable

FLAGS = ("-std=gnu11", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra")
SOURCE = BENCH / "load"
NEAR_ITS_LIMIT = 0.9  # processors, of the one that a generator can use


def build(name: str) -> Path:
    """Compile the generator in that folder if its source is newer; return the program.

    Raises:
        Unusable: There is no C compiler, or it refuses.
    """
    program = CACHE / f"load-{name}"
    sources = [path for folder in (SOURCE, SOURCE / name) for path in sorted(folder.glob("*.[ch]"))]
    newest = max(source.stat().st_mtime for source in sources)
    if program.exists() and program.stat().st_mtime > newest:
        return program
    compiler = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise Unusable("the load generator is C: install a compiler (Debian: apt install gcc)")
    CACHE.mkdir(parents=True, exist_ok=True)
    units = [source for source in sources if source.suffix == ".c"]
    done = subprocess.run([compiler, *FLAGS, "-I", SOURCE, "-o", program, *units], check=False)
    if done.returncode:
        raise Unusable(f"{compiler} could not compile the load generator")
    return program


def run(
    program: Path,
    arguments: Sequence[str | Path],
    *,
    on_measuring: Callable[[], None] | None = None,
    on_measured: Callable[[], None] | None = None,
) -> dict[str, Any]:
    """Run a generator; return what it measured.

    Args:
        on_measuring: Is called when it says that a warm-up is over.
        on_measured: Is called when it says that the last window after it is over.

    Raises:
        Unusable: It gave up; why is on stderr.
    """
    with subprocess.Popen(
        [program, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stderr
        says = {"measuring\n": on_measuring, "measured\n": on_measured}
        for line in process.stderr:
            if line not in says:
                print(line, end="", file=sys.stderr)
            elif called := says[line]:
                called()
        output = process.stdout.read()
    if process.returncode:
        raise Unusable("the load generator gave up")
    answer: dict[str, Any] = json.loads(output)
    return answer
