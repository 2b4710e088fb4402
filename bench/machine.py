"""What a reader must know of the machine to compare figures, and nothing that names it."""

import os
import platform
import resource
import time
from pathlib import Path
from statistics import median

from bench.paths import Unusable

PROBES = 200
IDLE = 0.2  # processors that may be busy with other work
LOOK_S = 2.0


def description() -> dict[str, str | int]:
    """Return processors, their model and the Python that runs the server."""
    return {
        "cores": len(os.sched_getaffinity(0)),
        "cpu": _cpu_model(),
        "python": platform.python_version(),
    }


def allow_files(wanted: int = 0) -> None:
    """Allow as many open files as the system lets us: a connection is one, at either end.

    What is started afterwards inherits it.

    Raises:
        Unusable: That is less than ``wanted``.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if hard < wanted:
        raise Unusable(f"{wanted:,} open files needed, {hard:,} allowed: raise `ulimit -Hn`")


def disk_ms(folder: Path) -> float:
    """Return the median time of a small durable write: the floor of a lone sender's latency."""
    times: list[float] = []
    path = folder / "probe"
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY, 0o600)
    try:
        for _ in range(PROBES):
            os.write(descriptor, bytes(4096))
            began = time.perf_counter()
            os.fdatasync(descriptor)
            times.append(time.perf_counter() - began)
    finally:
        os.close(descriptor)
        path.unlink()
    return median(times) * 1e3


def wait_until_idle(patience: float) -> None:
    """Wait until nothing else runs, at most ``patience`` seconds."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        before = _busy_s()
        time.sleep(LOOK_S)
        if _busy_s() - before < IDLE * LOOK_S:
            return


def cpu_s(pid: int) -> float:
    """Return the processor time that a process has used, in all its threads."""
    # Fields 14 and 15; count from the last bracket, a process name may hold spaces.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mib(pid: int) -> float:
    """Return the memory that a process has in use."""
    fields = dict(
        line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines()
    )
    return int(fields["VmRSS"].split()[0]) / 1024


def _busy_s() -> float:
    """Return the time that all processors together were not idle, nor waiting for a disk."""
    _, *ticks = Path("/proc/stat").read_text().splitlines()[0].split()
    user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, ticks[:8])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()
