"""A step is one line with its time; what it printed matters only when it fails."""

import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from dev.tree import ROOT

WIDTH = 44


class Failed(Exception):
    """One sentence for the person at the terminal, and what a program said before it."""

    def __init__(self, sentence: str, output: str = "") -> None:
        super().__init__(sentence)
        self.output = output


def step(
    title: str, *command: str | Path, env: Mapping[str, str] | None = None, cwd: Path = ROOT
) -> None:
    """Run ``command`` quietly.

    Raises:
        Failed: It ended with a status other than 0, or could not be started.
    """
    print(f"  {title} ".ljust(WIDTH, "."), end=" ", flush=True)
    began = time.monotonic()
    try:
        done = subprocess.run(
            command,
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
    except OSError as error:
        print("failed", flush=True)
        raise Failed(f"{title}: {error}") from None
    if done.returncode:
        print("failed", flush=True)
        raise Failed(f"{title}: failed", done.stdout)
    print(f"{time.monotonic() - began:.1f} s", flush=True)
