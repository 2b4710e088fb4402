"""The load generator: C, because Python could not keep up with the server (bench/load)."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.paths import BENCH, CACHE, Unusable

if TYPE_CHECKING:
    from bench.server import Server

FLAGS = ("-std=gnu11", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra")


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """How long a case is measured, in seconds."""

    warm_up: float
    window: float
    windows: int

    @property
    def measured(self) -> float:
        """All windows together."""
        return self.window * self.windows


def build() -> Path:
    """Compile the generator if its source is newer; return the program.

    Raises:
        Unusable: There is no C compiler, or it refuses.
    """
    program = CACHE / "load"
    sources = sorted((BENCH / "load").glob("*.[ch]"))
    newest = max(source.stat().st_mtime for source in sources)
    if program.exists() and program.stat().st_mtime > newest:
        return program
    compiler = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise Unusable("the load generator is C: install a compiler (Debian: apt install gcc)")
    CACHE.mkdir(parents=True, exist_ok=True)
    units = [source for source in sources if source.suffix == ".c"]
    done = subprocess.run([compiler, *FLAGS, "-o", program, *units], check=False)
    if done.returncode:
        raise Unusable(f"{compiler} could not compile the load generator")
    return program


def load(
    program: Path,
    plan: Path,
    server: "Server",
    schedule: Schedule,
    *,
    senders: Sequence[int],
    on_measuring: Callable[[], None] = lambda: None,
) -> dict[str, Any]:
    """Load ``server`` by ``plan``; return what the generator measured.

    Args:
        senders: How many of the plan's send, in one round after the other.
        on_measuring: Is called when a warm-up is over.

    Raises:
        Unusable: It could not join everybody, or nothing was acked.
    """
    command: list[str | Path] = [
        program, "--host", server.host, "--port", str(server.port), "--pid", str(server.pid),
        "--plan", plan, "--warm-up", str(schedule.warm_up),
        "--window", str(schedule.window), "--windows", str(schedule.windows),
        "--senders", ",".join(map(str, senders)),
    ]  # fmt: skip
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stderr
        for line in process.stderr:
            if line == "measuring\n":
                on_measuring()
            else:
                print(line, end="", file=sys.stderr)
        output = process.stdout.read()
    if process.returncode:
        raise Unusable("the load generator gave up")
    answer: dict[str, Any] = json.loads(output)
    if not all(any(w["acked"] for w in measured["windows"]) for measured in answer["rounds"]):
        raise Unusable(f"nothing was acked: {answer}")
    return answer
