"""Real server processes, on free ports with data folders of their own, that tests may kill."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from parley.server.auth import TokenMint
from parley.server.keys import KeyRing
from parley.server.settings import Settings
from tests.programs import environment

START_S = 20.0
_LISTENING = re.compile(rb"Parley listening on (http://127\.0\.0\.1:(\d+))")


@dataclass(eq=False)
class ServerProcess:
    """``parley serve`` over one data folder; may be killed and started again on its port."""

    data_dir: Path
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    url: str = ""
    port: int = 0
    output: list[bytes] = field(default_factory=list[bytes])
    _process: asyncio.subprocess.Process | None = None
    _reader: asyncio.Task[None] | None = None
    _printed: asyncio.Event = field(default_factory=asyncio.Event)

    async def start(self) -> "ServerProcess":
        """Start and return when it listens; the port stays the same over restarts."""
        settings = {
            "PARLEY_DATA_DIR": str(self.data_dir),
            "PARLEY_PORT": str(self.port),
            "PARLEY_LOG_FORMAT": "text",
            **self.env,
        }
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "parley.server",
            "serve",
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=environment(settings),
        )
        listening = asyncio.get_running_loop().create_future()
        self._reader = asyncio.create_task(self._read(listening))
        await asyncio.wait_for(listening, START_S)
        return self

    async def kill(self) -> None:
        """End it as a power cut would: ``kill -9``."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> int:
        """End it as an operator would, and return its exit status."""
        return await self._end(signal.SIGTERM)

    def send_signal(self, number: signal.Signals) -> None:
        """Pause it (SIGSTOP), or let it go on (SIGCONT)."""
        os.kill(self.pid, number)

    async def is_sent(self, size: int) -> None:
        """Wait until so many bytes lie in the kernel for it; for a server that is paused."""
        async with asyncio.timeout(START_S):
            while True:
                if any(waiting >= size for waiting in _waiting(self.port)):
                    return
                await asyncio.sleep(0.01)

    @property
    def runs(self) -> bool:
        """Whether it was started and not ended since."""
        return self._process is not None

    @property
    def pid(self) -> int:
        """Return the process id of the running server."""
        assert self._process is not None
        return self._process.pid

    def token(
        self,
        user_id: str,
        *,
        ttl_s: int = 3_600,
        name: str | None = None,
        roles: Collection[str] = (),
    ) -> str:
        """Return a token this server accepts."""
        shared = self.env.get("PARLEY_CLUSTER_KEY")
        keys = KeyRing.load(Settings(data_dir=self.data_dir, cluster_key=shared))
        return TokenMint(keys).mint(user_id, name=name, roles=roles, ttl_s=ttl_s)

    async def prints(self, *words: bytes, after: int = 0) -> bytes:
        """Return the first line of its output with all these words, past or to come.

        Args:
            after: How many lines to pass over.
        """
        async with asyncio.timeout(START_S):
            while True:
                self._printed.clear()
                for line in self.output[after:]:
                    if all(word in line for word in words):
                        return line
                await self._printed.wait()

    async def ends(self) -> int:
        """Wait until it has ended by itself and return its exit status.

        Not `stop`: a signal to a process that has just ended takes its status from asyncio.
        """
        return await self._end(None)

    async def _end(self, how: signal.Signals | None) -> int:
        if self._process is None or self._reader is None:
            return 0
        process, self._process = self._process, None
        if process.returncode is None and how is not None:
            process.send_signal(how)
        status = await process.wait()
        await self._reader
        return status

    async def _read(self, listening: asyncio.Future[None]) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            self.output.append(line)
            self._printed.set()
            sys.stdout.write(f"[{self.port}] {line.decode()}")  # pytest shows it on failure
            found = _LISTENING.search(line)
            if found and not listening.done():
                self.url, self.port = found[1].decode(), int(found[2])
                listening.set_result(None)
        if not listening.done():
            listening.set_exception(RuntimeError(b"".join(self.output).decode()))


def _waiting(port: int) -> Iterator[int]:
    """Yield how many bytes each connection to a port has that nobody has read; on Linux."""
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, here, _, _, queues, *_ = line.split()
        if int(here.partition(":")[2], 16) == port:
            yield int(queues.partition(":")[2], 16)
