"""``make cluster`` starts everything, is used like one server, and leaves nothing behind."""

import contextlib
import os
import re
import signal
import sys
import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from tests.clients import Client
from tests.programs import Program
from tests.redis_server import free_port

pytestmark = [
    pytest.mark.slow,
    pytest.mark.mongod,
    pytest.mark.redis,
    pytest.mark.nginx,
    pytest.mark.node,
    pytest.mark.timeout(240),
]

ROOT = Path(__file__).resolve().parent.parent
STOP_S = 12.0
PROC = Path("/proc")


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[Program]:
    """Return a cluster that has said where it is; whatever is left of it in the end is killed."""
    command = [
        sys.executable,
        "-m",
        "dev",
        "cluster",
        "--venv",
        sys.prefix,
        "--data",
        str(tmp_path),
    ]
    started: Mapping[int, str] = {}
    async with Program.running(command, cwd=ROOT, env={"PARLEY_PORT": str(free_port())}) as program:
        try:
            await program.prints("MongoDB")
            await program.prints("Ctrl-C ends everything")
            started = _started_by(program.pid)
            yield program
        finally:
            for pid in _left(started or _started_by(program.pid)):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


async def test_it_is_used_like_one_server_and_ends_without_a_rest(cluster: Program) -> None:
    started = _started_by(cluster.pid)
    assert len(started) >= 6  # MongoDB, Redis, three nodes, nginx and its workers
    url = (await cluster.prints("Chat page: ")).removeprefix("Chat page: ")
    alice = await Client().connect(url, await _token(cluster, "alice"))
    await alice.ready()
    room_id = (await alice.call("create_room", name="Tea", type="public"))["room"]["id"]
    await alice.say(room_id, "Hello")
    for node in ("n1", "n2", "n3"):  # each has it, whoever took it
        own = (await cluster.prints(f"{node}: ")).split()[-1]
        bob = await Client().connect(own, await _token(cluster, "bob"))
        await bob.call("join_room", room_id=room_id)
        messages = (await bob.call("history", room_id=room_id))["messages"]
        assert "Hello" in [message["content"].get("text") for message in messages]
        await bob.close()
    await alice.close()
    began = time.monotonic()
    cluster.interrupt()
    assert await cluster.ends() == 0
    assert time.monotonic() - began < STOP_S
    assert not _left(started)


async def test_a_node_may_be_killed_and_the_others_go_on_until_the_last(cluster: Program) -> None:
    started = _started_by(cluster.pid)
    said = await cluster.prints("Kill a node")
    nodes = {name: int(pid) for pid, name in re.findall(r"(\d+) is (n\d)", said)}
    url = (await cluster.prints("Chat page: ")).removeprefix("Chat page: ")
    alice = await Client().connect(url, await _token(cluster, "alice"))
    for name in ("n1", "n2"):
        os.kill(nodes[name], signal.SIGKILL)
        await cluster.prints(f"{name} has ended by itself (SIGKILL); the others go on")
    bob = await Client().connect(url, await _token(cluster, "bob"))
    await bob.call("create_room", name="Tea", type="public")
    await bob.close()
    await alice.close()
    os.kill(nodes["n3"], signal.SIGKILL)
    assert await cluster.ends() == 1
    assert not _left(started)


async def test_all_end_when_redis_does_and_its_last_words_are_shown(
    cluster: Program, tmp_path: Path
) -> None:
    started = _started_by(cluster.pid)
    [redis] = [pid for pid in started if "redis-server" in _title(pid)]
    os.kill(redis, signal.SIGTERM)
    assert await cluster.ends() == 1
    text = "\n".join(cluster.lines)
    assert f"The end of {tmp_path / 'redis.log'}" in text
    assert "Redis is now ready to exit" in text
    assert "redis has ended by itself (status 0)" in text
    assert not _left(started)


async def _token(cluster: Program, user: str) -> str:
    return (await cluster.prints(f"Token of {user}: ")).rpartition(" ")[2]


def _started_by(pid: int) -> dict[int, str]:
    """Return the processes that one has started, and those have: when each began, by its id."""
    everything = {int(folder.name): _stat(int(folder.name)) for folder in PROC.glob("[0-9]*")}
    found: dict[int, str] = {}
    new = {pid}
    while new:
        new = {child for child, stat in everything.items() if stat and int(stat[1]) in new}
        found |= {child: everything[child][19] for child in new}
    return found


def _left(started: Mapping[int, str]) -> list[int]:
    """Return which of these processes are still there, and no others under their ids."""
    return [pid for pid, began in started.items() if _stat(pid)[19:20] == [began]]


def _stat(pid: int) -> list[str]:
    """Return what Linux says of a process, from its state on; nothing if it is gone."""
    try:
        return (PROC / str(pid) / "stat").read_text().rpartition(") ")[2].split()
    except OSError:
        return []


def _title(pid: int) -> str:
    return (PROC / str(pid) / "cmdline").read_bytes().decode()
