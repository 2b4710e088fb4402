"""MongoDB and Redis as the nodes find them: one process of each, for a whole run."""

import os
import sys
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.chat.server import Server, serving
from bench.cluster.cases import Kept, Setting
from bench.machine import cpu_s
from bench.paths import Unusable, scratch
from dev import debian, mongod
from dev.steps import Failed
from dev.tree import installing
from dev.venv import Venv
from tests.mongod import ReplicaSet
from tests.redis_server import RedisServer

if TYPE_CHECKING:
    from parley.server.keys import SigningKey

CLUSTER_KEY = "a secret that every node of the benchmark has"


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What nodes have in common."""

    mongodb: ReplicaSet
    redis: RedisServer

    @classmethod
    @contextmanager
    def running(cls) -> Generator["Services"]:
        """Start both.

        Raises:
            Unusable: One of them is not there and cannot be had.
        """
        try:
            with installing():
                os.environ["PARLEY_TEST_MONGOD"] = mongod.require(Venv(Path(sys.prefix)))
                os.environ["PARLEY_TEST_REDIS"] = debian.program("Redis", "redis-server")
        except Failed as failure:
            raise Unusable(f"{failure.output}{failure}") from None
        with ExitStack() as stack:
            # On the disk of the checkout, as SQLite is.
            mongodb = ReplicaSet(1, folder=stack.enter_context(scratch("mongod")))
            stack.callback(mongodb.close)
            redis = RedisServer()
            stack.callback(redis.close)
            yield cls(mongodb=mongodb, redis=redis)

    @contextmanager
    def nodes(self, parley: Path, setting: Setting, key: "SigningKey") -> Generator["Nodes"]:
        """Start the nodes of a setting with a new database, that is gone at the end."""
        name = f"bench_{time.monotonic_ns()}"
        shared = self._settings(setting.kept, name)
        with ExitStack() as stack:
            stack.callback(self._drop, name)
            servers: list[Server] = []
            for number in range(1, setting.nodes + 1):
                folder = stack.enter_context(scratch("node"))
                own = {"PARLEY_NODE": f"n{number}"} if setting.kept is Kept.BOTH else {}
                servers.append(
                    stack.enter_context(serving(parley, folder, key, settings=shared | own))
                )
            yield Nodes(servers, self._processes(setting.kept, servers))

    def _settings(self, kept: Kept, database: str) -> dict[str, str]:
        if kept is Kept.SQLITE:
            return {}
        mongodb = {"MONGODB_URL": self.mongodb.url, "PARLEY_MONGODB_DATABASE": database}
        if kept is Kept.MONGODB:
            return mongodb
        return mongodb | {"REDIS_URL": self.redis.url, "PARLEY_CLUSTER_KEY": CLUSTER_KEY}

    def _processes(self, kept: Kept, servers: list[Server]) -> dict[str, int]:
        found = {f"node {n}": server.pid for n, server in enumerate(servers, 1)}
        if kept is not Kept.SQLITE:
            found["mongod"] = self.mongodb.members[0].pid
        if kept is Kept.BOTH:
            found["Redis"] = self.redis.pid
        return found

    def _drop(self, name: str) -> None:
        with self.redis.client() as redis:
            redis.flushall()  # it belongs to the nodes of one database
        with self.mongodb.client() as client:
            client.drop_database(name)


@dataclass(frozen=True, slots=True)
class Nodes:
    """Servers that run, and every process whose time counts, by its name."""

    servers: list[Server]
    processes: Mapping[str, int]


class Meter:
    """The processor time of several processes between two moments."""

    def __init__(self, processes: Mapping[str, int]) -> None:
        self._processes = processes
        self._before: dict[str, float] = {}
        self.used: dict[str, float] = {}  # seconds

    def begin(self) -> None:
        """Take note of what they have used so far."""
        self._before = dict(self._so_far())

    def end(self) -> None:
        """Take note of what they have used since."""
        self.used = {name: now - self._before[name] for name, now in self._so_far()}

    def _so_far(self) -> Iterator[tuple[str, float]]:
        for name, pid in self._processes.items():
            yield name, cpu_s(pid)
