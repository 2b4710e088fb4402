"""What a server's process costs this machine, as Linux tells it; and a word for who reads on."""

import os
import sys
from pathlib import Path

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
MIB = 1 << 20


def memory_of(pid: int) -> int:
    """Return the bytes that a process holds in memory."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_BYTES


def open_files_of(pid: int) -> int:
    """Return how many files and sockets a process has open."""
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())


def tell(measured: str) -> None:
    """Print a figure; pytest shows it when the test fails, or with ``-s``."""
    sys.stdout.write(f"{measured}\n")
    sys.stdout.flush()
