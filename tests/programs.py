"""Programs as a person starts them, by their command line, that tests may talk to and kill."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncGenerator, Mapping, Sequence
from pathlib import Path

WAIT_S = 30.0  # for one line; generous, because tests share a small machine


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Return the tests' environment with these settings, and no others of a server."""
    foreign = ("PARLEY_", "REDIS_URL", "MONGODB_URL")
    own = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return {**own, **settings}


class Program:
    """A process of its own group, and the lines it prints to either stream."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.lines: list[str] = []
        self._process = process
        self._printed = asyncio.Event()
        self._reader = asyncio.create_task(self._read())

    @classmethod
    @contextlib.asynccontextmanager
    async def running(
        cls, command: Sequence[str], *, cwd: Path, env: Mapping[str, str] | None = None
    ) -> AsyncGenerator["Program"]:
        """Start a program; at the end of the block, kill it with all that it started."""
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=cwd,
            env=environment(env or {}),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        program = cls(process)
        try:
            yield program
        finally:
            await program.kill()

    @property
    def pid(self) -> int:
        """Return its process id."""
        return self._process.pid

    async def prints(self, words: str, *, after: int = 0) -> str:
        """Return the first line with these words, past or to come.

        Args:
            after: How many lines to pass over.
        """
        async with asyncio.timeout(WAIT_S):
            while True:
                self._printed.clear()
                for line in self.lines[after:]:
                    if words in line:
                        return line
                last = self.lines[-1:]  # mostly the reason
                assert not self._reader.done(), f"it ended and did not say {words!r}: {last}"
                await self._printed.wait()

    def type(self, line: str) -> None:
        """Give it a line of standard input."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n".encode())

    def interrupt(self) -> None:
        """Press Ctrl-C."""
        self._process.send_signal(signal.SIGINT)

    async def ends(self) -> int:
        """End its standard input and return its exit status."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        async with asyncio.timeout(WAIT_S):
            await self._reader
            return await self._process.wait()

    async def kill(self) -> None:
        """End it, and what it started, with ``kill -9``."""
        with contextlib.suppress(ProcessLookupError):  # all have ended by themselves
            os.killpg(self._process.pid, signal.SIGKILL)
        await self._process.wait()
        await self._reader

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            self.lines.append(line.decode().rstrip("\n"))
            sys.stdout.write(f"[{self._process.pid}] {line.decode()}")  # pytest shows it on failure
            self._printed.set()
        self._printed.set()
