"""``cluster``: three nodes behind nginx, with Redis and MongoDB, all on this machine."""

import argparse
import contextlib
import fcntl
import http.client
import os
import secrets
import shlex
import signal
import socket
import subprocess
from collections.abc import Generator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from dev import debian, mongod, node
from dev.processes import Processes
from dev.steps import Failed, step
from dev.tree import ROOT, WEB, installing
from dev.venv import Venv

HERE = "127.0.0.1"
NODES = ("n1", "n2", "n3")
REPLICA_SET = "rs0"
STOP_S = 10.5  # for proxy and nodes; a node takes up to ten to answer what it was asked
STOP_REST_S = 1.0
ANSWER_S = 2.0


def cluster(venv: Venv, arguments: list[str]) -> int:
    """Run everything until Ctrl-C, or until a program ends that is missed: not a node."""
    parser = argparse.ArgumentParser(prog="python3 -m dev cluster", allow_abbrev=False)
    parser.add_argument("--data", type=Path, default=ROOT / "data" / "cluster")
    folder: Path = parser.parse_args(arguments).data.resolve()
    with installing():
        venv.prepare()
        programs = _Programs(
            mongod=mongod.require(venv),
            redis=debian.program("Redis", "redis-server"),
            nginx=debian.program("nginx", "nginx"),
        )
        node.install_packages(WEB, venv)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # a closed terminal, too
        signal.signal(number, signal.default_int_handler)
    with _alone_in(folder):
        processes = Processes(folder)
        try:
            _Cluster(processes, programs, venv, folder).start()
            processes.wait(*NODES)
        except KeyboardInterrupt:
            print("Ending ...", flush=True)
        finally:
            try:
                processes.stop("proxy", *NODES, within_s=STOP_S)
            finally:
                processes.stop("redis", "mongodb", within_s=STOP_REST_S)
    return 0


@contextlib.contextmanager
def _alone_in(folder: Path) -> Generator[None]:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # tokens are in the logs
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Failed(f"another cluster is using {folder}") from None
        yield


@dataclass(frozen=True, kw_only=True)
class _Programs:
    mongod: str
    redis: str
    nginx: str


class _Cluster:
    """What is started, in this order; each has a folder of its own."""

    def __init__(self, processes: Processes, programs: _Programs, venv: Venv, folder: Path) -> None:
        self._processes = processes
        self._programs = programs
        self._venv = venv
        self._folder = folder

    def start(self) -> None:
        """Start everything and say where it is.

        Raises:
            Failed: One of them does not start; the others may run.
        """
        listen = f"{HERE}:{_proxy_port()}"
        for name in ("mongodb", "redis", "proxy", *NODES):
            (self._folder / name).mkdir(exist_ok=True)
        env = self._venv.environment() | {
            "MONGODB_URL": self._start_mongodb(),
            "REDIS_URL": self._start_redis(),
            "PARLEY_CLUSTER_KEY": _kept_secret(self._folder / "cluster-key"),
            "PARLEY_HOST": HERE,
            "PARLEY_TRUSTED_PROXIES": HERE,
            "PARLEY_WEB_ROOT": str(WEB),
            "PARLEY_DEV_LOGIN": "1",
        }
        nodes = {name: f"{HERE}:{_free_port()}" for name in NODES}
        self._start_nodes(nodes, env)
        self._start_proxy(nodes, listen)
        env_file = self._folder / "env"
        shared = {name: env[name] for name in ("PARLEY_CLUSTER_KEY", "MONGODB_URL", "REDIS_URL")}
        shared["PARLEY_PORT"] = listen.rpartition(":")[2]
        lines = [f"export {name}={shlex.quote(value)}\n" for name, value in shared.items()]
        _write_secret(env_file, "".join(lines))
        print(f"Chat page: http://{listen}/")
        for name, address in nodes.items():
            print(f"  {name}: http://{address}/")
        for user in ("alice", "bob"):
            print(f"Token of {user}: {self._token(user, env)}")
        pids = ", ".join(f"{self._processes.pid(name)} is {name}" for name in NODES)
        print(f"Kill a node, and its clients go on with another one: {pids}.")
        print(
            f"For commands, such as parley token, in another shell: . {shlex.quote(str(env_file))}"
        )
        print(f"Data and logs: {self._folder}. Ctrl-C ends everything.", flush=True)

    def _start_mongodb(self) -> str:
        port = _free_port()
        self._processes.start(
            "mongodb",
            *(self._programs.mongod, "--dbpath", str(self._folder / "mongodb")),
            *("--bind_ip", HERE, "--port", str(port), "--nounixsocket", "--quiet"),
            *("--replSet", REPLICA_SET, "--wiredTigerCacheSizeGB", "0.25"),
            # There are no others who could go on without it.
            *("--setParameter", "shutdownTimeoutMillisForSignaledShutdown=0"),
        )
        self._processes.until("mongodb", partial(_listens, port))
        initiate = (self._venv.bin("python"), "-m", "dev.replica_set", REPLICA_SET)
        step("MongoDB", *initiate, f"{HERE}:{port}", env=self._venv.environment())
        return f"mongodb://{HERE}:{port}/?replicaSet={REPLICA_SET}"

    def _start_redis(self) -> str:
        port, password = _free_port(), secrets.token_hex(24)
        configuration = self._folder / "redis" / "redis.conf"
        _write_secret(
            configuration,
            f"bind {HERE}\nport {port}\nrequirepass {password}\n"
            'save ""\nappendonly no\nmaxmemory-policy noeviction\n',
        )
        self._processes.start("redis", self._programs.redis, configuration)
        self._processes.until("redis", partial(_listens, port))
        return f"redis://:{password}@{HERE}:{port}/0"

    def _start_nodes(self, nodes: dict[str, str], env: dict[str, str]) -> None:
        for name, address in nodes.items():
            own = {
                "PARLEY_NODE": name,
                "PARLEY_PORT": address.rpartition(":")[2],
                "PARLEY_DATA_DIR": str(self._folder / name),
            }
            self._processes.start(name, self._venv.bin("parley"), "serve", env=env | own)
        for name, address in nodes.items():
            self._processes.until(name, partial(_ready, address))

    def _start_proxy(self, nodes: dict[str, str], listen: str) -> None:
        folder = self._folder / "proxy"
        named = ",".join(f"{name}={address}" for name, address in nodes.items())
        made = ("proxy-config", "nginx", "--nodes", named, "--listen", listen)
        text = self._parley(*made, env=self._venv.environment())
        # The package's own folders belong to root.
        own = "".join(
            f"\n    {name}_temp_path {folder / name};"
            for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        configuration = folder / "nginx.conf"
        configuration.write_text(text.replace("http {", "http {" + own, 1))
        here = f"daemon off; pid {folder / 'pid'};"
        nginx = (self._programs.nginx, "-e", "stderr", "-c", configuration, "-g", here)
        self._processes.start("proxy", *nginx)
        self._processes.until("proxy", partial(_ready, listen))

    def _token(self, user: str, env: dict[str, str]) -> str:
        return self._parley("token", "--user", user, "--name", user.title(), env=env).strip()

    def _parley(self, *arguments: str, env: dict[str, str]) -> str:
        """Return what the command prints."""
        done = subprocess.run(
            [self._venv.bin("parley"), *arguments],
            cwd=self._folder,
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise Failed(f"parley {arguments[0]} failed", done.stderr)
        return done.stdout


def _proxy_port() -> int:
    """Return ``PARLEY_PORT``; the nodes have others."""
    text = os.environ.get("PARLEY_PORT") or "8080"
    try:
        return _free_port(int(text))
    except (ValueError, OverflowError):
        raise Failed(f"PARLEY_PORT: {text!r} is no port") from None
    except OSError:
        raise Failed(f"port {text} is taken; choose another with PARLEY_PORT") from None


def _free_port(wanted: int = 0) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((HERE, wanted))
        port: int = probe.getsockname()[1]
        return port


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HERE, port)) == 0


def _ready(address: str) -> bool:
    connection = http.client.HTTPConnection(address, timeout=ANSWER_S)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _kept_secret(path: Path) -> str:
    """Return the secret of an earlier start, so that its tokens are still good."""
    if not path.exists():
        _write_secret(path, secrets.token_urlsafe(48))
    return path.read_text()


def _write_secret(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text)
