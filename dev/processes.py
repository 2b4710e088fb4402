"""Programs that belong together: all of them run, or none, but for those that may be missing."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from dev.steps import Failed

START_S = 60.0  # until one answers
TAIL = 20  # lines of the log of one that has ended
LOOK_S = 0.1


class Processes:
    """Each writes to a log of its name, and has a session of its own: Ctrl-C is not for them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, *command: str | Path, env: Mapping[str, str] | None = None) -> None:
        """Start one; its log begins anew."""
        with self._log(name).open("wb") as log:
            self._running[name] = subprocess.Popen(
                command,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def until(self, name: str, answers: Callable[[], bool]) -> None:
        """Wait until one answers.

        Raises:
            Failed: It does not, or any of them has ended.
        """
        end = time.monotonic() + START_S
        while not answers():
            self.check()
            if time.monotonic() > end:
                raise Failed(f"{name} does not answer", self._tail(name))
            time.sleep(LOOK_S)

    def check(self) -> None:
        """Raise `Failed` with what it said last, if one has ended by itself."""
        for name, process in self._running.items():
            if process.poll() is not None:
                raise Failed(_ended(name, process), self._tail(name))

    def wait(self, *spare: str) -> None:
        """Return never; see `check`. Of ``spare`` some may end, as long as one is left."""
        while True:
            self._let_go(spare)
            self.check()
            time.sleep(LOOK_S)

    def pid(self, name: str) -> int:
        """Return the process id of one that runs."""
        return self._running[name].pid

    def _let_go(self, spare: Sequence[str]) -> None:
        here = [name for name in spare if name in self._running]
        gone = [name for name in here if self._running[name].poll() is not None]
        if len(gone) == len(here):
            return
        for name in gone:
            print(f"{_ended(name, self._running.pop(name))}; the others go on", flush=True)

    def stop(self, *names: str, within_s: float) -> None:
        """End some of those that run, all at once: by SIGTERM, and then by force."""
        leaving = [self._running[name] for name in names if name in self._running]
        end = time.monotonic() + within_s
        try:
            for process in leaving:
                process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                for process in leaving:
                    process.wait(max(0.0, end - time.monotonic()))
        finally:  # also at a second Ctrl-C
            for process in leaving:
                _kill(process)
        for name in names:
            self._running.pop(name, None)

    def _log(self, name: str) -> Path:
        return self._folder / f"{name}.log"

    def _tail(self, name: str) -> str:
        lines = self._log(name).read_text(errors="replace").splitlines()[-TAIL:]
        return "".join(f"  {line}\n" for line in [f"The end of {self._log(name)}:", *lines])


def _ended(name: str, process: subprocess.Popen[bytes]) -> str:
    status = process.returncode
    why = f"status {status}" if status >= 0 else signal.Signals(-status).name
    return f"{name} has ended by itself ({why})"


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End a program and what it started, if that is still there."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
