"""The programs of bench/servers: what they are called, and how one is started."""

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from bench import node
from bench.paths import BENCH, Unusable

SERVERS = BENCH / "servers"
STOP_DEADLINE_S = 15


@dataclass(frozen=True)
class Peer:
    """A server that keeps the contract."""

    name: str
    title: str

    def command(self, port: int, *options: str) -> Sequence[str | Path]:
        """Return what starts it."""
        if self == NODE:
            return [node.command(), SERVERS / "socketio.js", str(port), *options]
        return [sys.executable, "-m", f"bench.servers.{self.name}", str(port), *options]

    @cached_property
    def versions(self) -> str:
        """Return what it is made of."""
        if self != NODE:
            parts = ["aiohttp"] if self == OURS else ["python-socketio", "python-engineio"]
            return ", ".join(_version(part) for part in (*parts, "uvloop", "orjson"))
        package = json.loads((SERVERS / "node_modules/socket.io/package.json").read_text())
        answer = subprocess.run(
            [node.command(), "--version"], capture_output=True, text=True, check=True
        )
        return f"socket.io {package['version']}, Node.js {answer.stdout.strip().removeprefix('v')}"


NODE = Peer("Node", "Socket.IO on Node.js")
STOCK = Peer("stock", "stock python-socketio")
OURS = Peer("ours", "the engine of Parley")
PEERS = (NODE, STOCK, OURS)


def _version(package: str) -> str:
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return f"no {package}"


@dataclass(frozen=True, slots=True)
class Running:
    """A server that listens."""

    port: int
    pid: int


@contextmanager
def running(peer: Peer, *options: str) -> Generator[Running]:
    """Run a server on a free port.

    Raises:
        Unusable: It does not start.
    """
    port = free_port()
    with listening(peer.command(port, *options)) as process:
        yield Running(port, process.pid)


@contextmanager
def listening(command: Sequence[str | Path]) -> Generator["subprocess.Popen[str]"]:
    """Run a program that says ``listening``; what it says on stderr is for the person.

    Raises:
        Unusable: It does not start.
    """
    with subprocess.Popen(command, cwd=BENCH.parent, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            if process.stdout.readline() != "listening\n":
                raise Unusable(f"did not start: {' '.join(map(str, command))}")
            yield process
        finally:
            stop(process)


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def stop(process: "subprocess.Popen[str]") -> None:
    """End it; with ten thousand connections a polite end would take longer than it is worth."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_DEADLINE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
