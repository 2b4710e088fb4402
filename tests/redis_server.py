"""Real Redis servers on free ports, with folders of their own, to be paused and killed."""

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any

from redis import Redis
from redis.exceptions import ConnectionError as NotThere

START_S = 30.0
THIRDS = ((0, 5_460), (5_461, 10_922), (10_923, 16_383))  # of the slots of a cluster

_at_the_end = ExitStack()


class RedisServer:
    """One redis-server; it may be paused, killed, and started again on its port."""

    keeps_nothing: Sequence[str] = (
        *("--save", "", "--appendonly", "no"),
        *("--repl-diskless-sync-delay", "0"),
    )

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
                *(program(), *self._arguments, *self.keeps_nothing),
                *("--port", str(self.port), "--bind", "127.0.0.1"),
                *("--dir", str(self.folder), "--logfile", "log"),
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

    def client(self) -> Any:
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


class Sentinel(RedisServer):
    """A Sentinel that counts as a majority, and holds a server for dead after half a second."""

    keeps_nothing = ()  # it has no such settings

    def __init__(self, master: RedisServer) -> None:
        """Watch over ``master`` by the name of ``main``."""
        self._settings = Path(tempfile.mkdtemp(prefix="parley-sentinel-"))
        watched = ("monitor main 127.0.0.1 {} 1", "down-after-milliseconds main 500")
        file = self._settings / "sentinel.conf"
        file.write_text("".join(f"sentinel {line}\n" for line in watched).format(master.port))
        super().__init__(str(file), "--sentinel")

    def close(self) -> None:
        """See `RedisServer`."""
        super().close()
        shutil.rmtree(self._settings, ignore_errors=True)


class Watched:
    """A master and a replica, and a Sentinel that makes the one the other."""

    def __init__(self) -> None:
        """Return when the replica could take over."""
        with ExitStack() as stack:
            self._stack = stack
            self._begin()
            self._stack = stack.pop_all()

    def _begin(self) -> None:
        self.master = self._started(RedisServer())
        follows = ("--replicaof", "127.0.0.1", str(self.master.port))
        self.replica = self._started(RedisServer(*follows))
        self.sentinel = self._started(Sentinel(self.master))
        self.url = f"redis+sentinel://127.0.0.1:{self.sentinel.port}/main"
        until(lambda: self.replica.client().info()["master_link_status"] == "up")
        until(lambda: self.sentinel.client().sentinel_slaves("main"))

    def _started(self, server: RedisServer) -> RedisServer:
        self._stack.callback(server.close)
        return server

    def close(self) -> None:
        """End all of them."""
        self._stack.close()


class ClusterServer(RedisServer):
    """One server of a `RedisCluster`."""

    def __init__(self) -> None:
        """Start it, on its own."""
        self.bus_port = free_port()
        enabled = ("--cluster-enabled", "yes", "--cluster-node-timeout", "1000")
        super().__init__(*enabled, "--cluster-port", str(self.bus_port))

    def ask(self, *command: object) -> Any:
        """Return the text that answers a command of the group ``CLUSTER``."""
        with self.client() as client:
            return client.execute_command("CLUSTER", *command)

    @property
    def id(self) -> str:
        """Return its name in the cluster."""
        return str(self.ask("MYID"))


class RedisCluster:
    """Three masters, and a replica of the first."""

    def __init__(self) -> None:
        """Return when every server knows who has which slots."""
        with ExitStack() as stack:
            self._stack = stack
            self._begin()
            self._stack = stack.pop_all()

    def _begin(self) -> None:
        self.masters = [self._started() for _ in range(3)]
        self.replica = self._started()
        self.url = "redis+cluster://" + ",".join(f"127.0.0.1:{m.port}" for m in self.masters)
        for (first, last), master in zip(THIRDS, self.masters, strict=True):
            master.ask("ADDSLOTSRANGE", first, last)
            for other in (*self.masters, self.replica):
                master.ask("MEET", "127.0.0.1", other.port, other.bus_port)
        until(lambda: all(m.id in self.replica.ask("NODES") for m in self.masters))
        self.replica.ask("REPLICATE", self.masters[0].id)
        until(lambda: self.replica.client().info()["master_link_status"] == "up")
        until(lambda: all("cluster_state:ok" in server.ask("INFO") for server in self.servers))

    @property
    def servers(self) -> Sequence[ClusterServer]:
        """Return all of them."""
        return (*self.masters, self.replica)

    def move(self, slot: int, source: ClusterServer, target: ClusterServer) -> None:
        """Give a slot without keys to another master, as a resharding does."""
        target.ask("SETSLOT", slot, "IMPORTING", source.id)
        source.ask("SETSLOT", slot, "MIGRATING", target.id)
        for server in (target, source):
            server.ask("SETSLOT", slot, "NODE", target.id)

    def _started(self) -> ClusterServer:
        server = ClusterServer()
        self._stack.callback(server.close)
        return server

    def close(self) -> None:
        """End all of them."""
        self._stack.close()


def until(holds: Callable[[], object]) -> None:
    """Return when something holds that servers tell one another and nobody else."""
    end = time.monotonic() + START_S
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


@cache
def program() -> str:
    """Return what starts Redis: `make test` has installed it."""
    found = os.environ.get("PARLEY_TEST_REDIS") or shutil.which("redis-server")
    assert found, "no redis-server: run the tests by `make test`, or leave out -m 'not redis'"
    return found


@cache
def single() -> RedisServer:
    """Return the server that serves a whole run of the tests."""
    return until_the_end(RedisServer())


def until_the_end(server: RedisServer) -> RedisServer:
    """Return a server that is ended with the run."""
    _at_the_end.callback(server.close)
    return server


@cache
def cluster() -> RedisCluster:
    """Return the cluster that serves a whole run of the tests."""
    servers = RedisCluster()
    _at_the_end.callback(servers.close)
    return servers


def url() -> str:
    """Return where Redis is, for tests that do nothing to the server itself."""
    return os.environ.get("TEST_REDIS_URL") or single().url


def stop() -> None:
    """End what this process started."""
    _at_the_end.close()


def free_port() -> int:
    """Return a port that nobody listens on, and that no client is given for its own end."""
    while True:
        port = 20_000 + secrets.randbelow(12_000)  # not `random`: tests seed it, all the same way
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
