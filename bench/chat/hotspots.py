"""Where the server's CPU goes: a sampling profile by py-spy, weighed with what the kernel counts.

py-spy takes a thread that waits for the disk or for the GIL for a busy one. So its samples only
divide up the CPU that the kernel says the thread has really used.
"""

import os
import re
import shutil
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.paths import BENCH

SAMPLES_PER_S = 250
TOP = 15
OURS = ("server", "namespaces", "storage")

# A stack is "thread (ID): NAME;outer (file:line);inner (file:line) SAMPLES".
_THREAD = re.compile(r"thread \((?P<id>\d+)\)(?:: (?P<name>.*))?")
_FRAME = re.compile(r"(?P<function>.+) \((?P<file>.+?)(?::\d+)?\)\Z")

Shares = list[tuple[str, float]]  # of the server's CPU, largest first


@dataclass(frozen=True, slots=True, kw_only=True)
class Hotspots:
    """The same CPU, divided up in four ways."""

    threads: Shares
    packages: Shares  # own time
    functions: Shares  # own time; what a function calls in C counts as its own
    below: Shares  # our functions, with everything they call


@dataclass(frozen=True, slots=True)
class Stack:
    """The frames of some samples of one thread, outermost first."""

    thread_id: int
    thread: str
    functions: list[str]
    samples: int

    @classmethod
    def parse(cls, line: str) -> "Stack | None":
        """Read a line of py-spy's raw format."""
        frames, _, samples = line.rpartition(" ")
        head, *rest = frames.split(";")
        thread = _THREAD.match(head)
        if not thread or not rest:
            return None
        functions = [_named(frame) for frame in rest]
        return cls(int(thread["id"]), thread["name"] or "unnamed", functions, int(samples))


class Recording:
    """One run of py-spy on a live process."""

    def __init__(self, py_spy: str, pid: int, seconds: float, output: Path) -> None:
        self._pid = pid
        self._output = output
        self._before = thread_cpu(pid)
        self._process = subprocess.Popen(
            [
                py_spy, "record", "--pid", str(pid), "--duration", str(max(1, round(seconds))),
                "--rate", str(SAMPLES_PER_S), "--format", "raw", "--full-filenames", "--threads",
                "--function", "--output", output,
            ],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip

    def result(self) -> Hotspots | None:
        """Wait for the end; None, and a line that says why, if there is no profile."""
        said, _ = self._process.communicate()
        if self._process.returncode or not self._output.exists():
            print(f"no profile; py-spy said: {said.strip()}", file=sys.stderr)
            return None
        after = thread_cpu(self._pid)
        used = {thread: after[thread] - self._before.get(thread, 0) for thread in after}
        return divided(self._output.read_text().splitlines(), used)


def find_py_spy() -> str | None:
    """Return the program, from this environment or the path."""
    beside = Path(sys.executable).parent
    return shutil.which("py-spy", path=os.pathsep.join((str(beside), os.environ.get("PATH", ""))))


def thread_cpu(pid: int) -> dict[int, int]:
    """Return the CPU that each living thread has used, in clock ticks."""
    used: dict[int, int] = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        fields = (task / "stat").read_text().rpartition(")")[2].split()
        used[int(task.name)] = int(fields[11]) + int(fields[12])  # user and system
    return used


def divided(lines: Iterable[str], cpu: Mapping[int, int]) -> Hotspots | None:
    """Divide ``cpu``, used by each thread, by the samples of a raw profile; None without any."""
    stacks = [stack for line in lines if (stack := Stack.parse(line))]
    samples: Counter[int] = Counter()
    for stack in stacks:
        samples[stack.thread_id] += stack.samples
    total = sum(cpu.get(thread, 0) for thread in samples)
    if total == 0:
        return None
    sums = _Sums()
    for stack in stacks:
        of_thread = stack.samples / samples[stack.thread_id]
        sums.add(stack, of_thread * cpu.get(stack.thread_id, 0) / total)
    return Hotspots(
        threads=_largest(sums.threads),
        packages=_largest(sums.packages),
        functions=_largest(sums.functions),
        below=_largest(sums.below),
    )


class _Sums:
    def __init__(self) -> None:
        self.threads: defaultdict[str, float] = defaultdict(float)
        self.packages: defaultdict[str, float] = defaultdict(float)
        self.functions: defaultdict[str, float] = defaultdict(float)
        self.below: defaultdict[str, float] = defaultdict(float)

    def add(self, stack: Stack, share: float) -> None:
        innermost = stack.functions[-1]
        self.threads[stack.thread] += share
        self.packages[_package(innermost)] += share
        self.functions[innermost] += share
        for function in set(stack.functions):  # once, however deep it recurs
            if function.split("/")[0] in OURS:
                self.below[function] += share


def _largest(sums: Mapping[str, float]) -> Shares:
    return sorted(sums.items(), key=lambda item: -item[1])[:TOP]


def _named(frame: str) -> str:
    found = _FRAME.match(frame)
    return f"{_shortened(found['file'])} {found['function']}" if found else frame


def _shortened(file: str) -> str:
    """Return a path as a reader knows it: in the repository, in a library, in Python itself."""
    _, installed, inside = file.rpartition("/site-packages/")
    if installed:
        return inside.removeprefix("parley/")
    for root in (f"{BENCH.parent}/.links/parley/", f"{BENCH.parent}/"):
        if file.startswith(root):
            return file.removeprefix(root)
    standard = re.sub(r"\A.*/python3\.\d+/", "", file)
    return standard if standard != file else Path(file).name


def _package(function: str) -> str:
    """Return the package a function belongs to; two levels of our own."""
    path = function.partition(" ")[0]
    parts = path.removesuffix(".py").split("/")
    return "/".join(parts[:2]) if parts[0] in OURS else parts[0]
