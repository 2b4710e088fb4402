"""Real MongoDB servers: replica sets on free ports, with folders of their own, to be killed."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any

from pymongo import MongoClient, WriteConcern

START_MS = 30_000
DATABASE = f"parley_test_{os.getpid()}"  # of this run of the tests; names that begin so, too

_set = "parley"
_at_the_end = ExitStack()


class Member:
    """One mongod of a replica set; it may be paused, killed, and started again on its port."""

    def __init__(self, folder: Path) -> None:
        self.port = _free_port()
        self.folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir()

    def start(self) -> None:
        """Start it; who connects waits until it answers."""
        self._process = subprocess.Popen(
            [
                *(program(), "--dbpath", str(self.folder), "--port", str(self.port)),
                *("--bind_ip", "127.0.0.1", "--nounixsocket", "--replSet", _set),
                *("--wiredTigerCacheSizeGB", "0.25", "--oplogSize", "64", "--quiet"),
                *("--logpath", str(self.folder / "log"), "--logappend"),
                # Commands that make it fail on demand.
                *("--setParameter", "enableTestCommands=1"),
                *("--setParameter", "diagnosticDataCollectionEnabled=false"),
                # A transaction whose commit a test lets fail keeps its locks for so long.
                *("--setParameter", "transactionLifetimeLimitSeconds=10"),
            ],
            stdout=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
        )

    @property
    def pid(self) -> int:
        """Return its process id."""
        assert self._process is not None
        return self._process.pid

    def signal(self, number: signal.Signals) -> None:
        """Pause it (SIGSTOP), let it go on (SIGCONT), or kill it."""
        assert self._process is not None
        self._process.send_signal(number)

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def client(self) -> "MongoClient[dict[str, Any]]":
        """Return a client of this member alone."""
        return MongoClient(
            "127.0.0.1", self.port, directConnection=True, serverSelectionTimeoutMS=START_MS
        )


class ReplicaSet:
    """Some members, one of them the primary."""

    def __init__(self, size: int, *, election_ms: int = 10_000, folder: Path | None = None) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="parley-mongod-", dir=folder))
        self.members = [Member(self.folder / str(i)) for i in range(size)]
        for member in self.members:
            member.start()
        hosts = [f"127.0.0.1:{member.port}" for member in self.members]
        config = {
            "_id": _set,
            "members": [{"_id": i, "host": host} for i, host in enumerate(hosts)],
            # A member that is paused answers no heartbeat; by default it is waited for 10 s.
            "settings": {"electionTimeoutMillis": election_ms, "heartbeatTimeoutSecs": 1},
        }
        self.url = f"mongodb://{','.join(hosts)}/?replicaSet={_set}"
        try:
            for member in self.members:  # to be one of a set, it must be there
                with member.client() as client:
                    client.admin.command("ping")
            with self.members[0].client() as client:
                client.admin.command("replSetInitiate", config)
            self.primary()
        except BaseException:  # nobody else knows of the servers
            self.close()
            raise

    def primary(self) -> Member:
        """Return who is the primary, once there is one."""
        with self.client() as client:
            client.admin.command("ping")
            assert client.primary is not None
            _, port = client.primary
        return next(member for member in self.members if member.port == port)

    def whole(self) -> None:
        """Return when a write has come to every member."""
        everybody = WriteConcern(len(self.members), wtimeout=START_MS)
        with self.client() as client:
            client["test"].get_collection("whole", write_concern=everybody).insert_one({})

    def client(self) -> "MongoClient[dict[str, Any]]":
        """Return a client of the test's own."""
        return MongoClient(self.url, serverSelectionTimeoutMS=START_MS)

    def close(self) -> None:
        """End all members and remove what they wrote."""
        for member in self.members:
            member.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


@cache
def program() -> str:
    """Return what starts mongod: `make test` has put it there."""
    found = os.environ.get("PARLEY_TEST_MONGOD") or shutil.which("mongod")
    assert found, "no mongod: run the tests by `make test`, or leave them out with -m 'not mongo'"
    return found


@cache
def single() -> ReplicaSet:
    """Return the replica set of one that serves a whole run of the tests."""
    replica_set = ReplicaSet(1)
    _at_the_end.callback(replica_set.close)
    return replica_set


def url() -> str:
    """Return where MongoDB is, for tests that do nothing to the server itself."""
    return os.environ.get("TEST_MONGODB_URL") or single().url


def client() -> "MongoClient[dict[str, Any]]":
    """Return a client of the test's own of what `url` names."""
    return MongoClient(url(), serverSelectionTimeoutMS=START_MS)


def stop() -> None:
    """End what this process started, and leave nothing in a server that it did not start."""
    with _at_the_end:
        if "TEST_MONGODB_URL" in os.environ:
            with client() as everything:
                for name in everything.list_database_names():
                    if name.startswith(DATABASE):
                        everything.drop_database(name)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
