"""Real Redis servers on free ports, with folders of their own, to be paused and killed."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import ExitStack
from functools import cache
from pathlib import Path

from redis import Redis
from redis.exceptions import ConnectionError as NotThere

START_S = 30.0

_at_the_end = ExitStack()


class RedisServer:
    """One redis-server; it may be paused, killed, and started again on its port."""

    def __init__(self, *arguments: str) -> None:
        """Start it with more ``arguments`` and return when it answers."""
        self.folder = Path(tempfile.mkdtemp(prefix="parley-redis-"))
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._arguments = arguments
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Start it and return when it answers; it keeps nothing over a restart."""
        self._process = subprocess.Popen(
            [
                *(program(), "--port", str(self.port), "--bind", "127.0.0.1"),
                *("--dir", str(self.folder), "--save", "", "--appendonly", "no"),
                *("--logfile", "log", *self._arguments),
            ],
            stdin=subprocess.DEVNULL,
        )
        self._answers()

    @property
    def pid(self) -> int:
        """Return its process id."""
        assert self._process is not None
        return self._process.pid

    def signal(self, number: signal.Signals) -> None:
        """Pause it (SIGSTOP), let it go on (SIGCONT), or end it."""
        assert self._process is not None
        self._process.send_signal(number)

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def client(self) -> "Redis":
        """Return a client of the test's own."""
        return Redis(port=self.port, decode_responses=True)

    def close(self) -> None:
        """End it and remove what it wrote."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _answers(self) -> None:
        end = time.monotonic() + START_S
        with self.client() as client:
            while True:
                try:
                    client.ping()
                except NotThere:
                    # It has no way to say that it listens; its log says it a little early.
                    assert time.monotonic() < end, (self.folder / "log").read_text()
                    time.sleep(0.01)
                else:
                    return


@cache
def program() -> str:
    """Return what starts Redis: `make test` has installed it."""
    found = os.environ.get("PARLEY_TEST_REDIS") or shutil.which("redis-server")
    assert found, "no redis-server: run the tests by `make test`, or leave out -m 'not redis'"
    return found


@cache
def single() -> RedisServer:
    """Return the server that serves a whole run of the tests."""
    server = RedisServer()
    _at_the_end.callback(server.close)
    return server


def url() -> str:
    """Return where Redis is, for tests that do nothing to the server itself."""
    return os.environ.get("TEST_REDIS_URL") or single().url


def stop() -> None:
    """End what this process started."""
    _at_the_end.close()


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
