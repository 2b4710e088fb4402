"""The server under test: a real ``parley serve`` on SQLite, in a data folder of its own."""

import os
import re
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.machine import allow_files
from bench.paths import Unusable

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from parley.server.keys import SigningKey

START_DEADLINE_S = 30
STOP_DEADLINE_S = 15
ADDRESS = re.compile(r"http://([^\s:/]+):(\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Where a running server is found."""

    host: str
    port: int
    pid: int

    @property
    def url(self) -> str:
        """The address for a Socket.IO client."""
        return f"http://{self.host}:{self.port}"


@contextmanager
def serving(
    parley: Path,
    data_dir: Path,
    key: "SigningKey",
    *,
    port: int = 0,
    settings: "Mapping[str, str] | None" = None,
) -> "Generator[Server]":
    """Run the command ``parley`` with its defaults, except that it knows ``key``.

    Args:
        port: Where it listens; 0: on a free one.
        settings: More of its environment.

    Raises:
        Unusable: It does not start.
    """
    allow_files()
    log = data_dir / "log"
    env = _environment(data_dir, key, port) | dict(settings or {})
    with log.open("wb") as output:
        process = subprocess.Popen([parley, "serve"], env=env, stdout=output, stderr=output)
    try:
        host, port = _address(process, log)
        yield Server(host=host, port=port, pid=process.pid)
    finally:
        _stop(process)


def _environment(data_dir: Path, key: "SigningKey", port: int) -> dict[str, str]:
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("PARLEY_") and name not in ("REDIS_URL", "MONGODB_URL")
    }
    return inherited | {
        "PARLEY_HOST": "127.0.0.1",
        "PARLEY_PORT": str(port),
        "PARLEY_DATA_DIR": str(data_dir),
        "PARLEY_SIGNING_KEYS": str(key),
    }


def _address(process: "subprocess.Popen[bytes]", log: Path) -> tuple[str, int]:
    deadline = time.monotonic() + START_DEADLINE_S
    while process.poll() is None and time.monotonic() < deadline:
        if found := ADDRESS.search(log.read_text(errors="replace")):
            return found[1], int(found[2])
        time.sleep(0.05)
    raise Unusable(f"the server did not start; it said:\n{log.read_text(errors='replace')}")


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(STOP_DEADLINE_S)
    except subprocess.TimeoutExpired:
        late = f"the server did not end within {STOP_DEADLINE_S} s of SIGTERM: killed"
        print(late, file=sys.stderr)
        process.kill()
        process.wait()
