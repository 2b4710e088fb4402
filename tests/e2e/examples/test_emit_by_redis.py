"""The backend that emits by Redis: heard by who is connected, and told where nobody can."""

import shlex
import sys
from pathlib import Path

import pytest

from tests.clients import Client
from tests.e2e.examples.running import ROOT, commands
from tests.programs import Program
from tests.redis_server import RedisServer, free_port
from tests.servers import ServerProcess

pytestmark = pytest.mark.redis


def command(*more: str) -> list[str]:
    """Return the command of the readme."""
    [line] = [line for line in commands("python") if "emit_by_redis" in line]
    python, *words = shlex.split(line)
    assert python == ".venv/bin/python"
    return [sys.executable, *words, *more]


async def test_what_it_emits_is_heard(tmp_path: Path) -> None:
    redis = RedisServer()
    env = {"REDIS_URL": redis.url}
    server = await ServerProcess(tmp_path / "data", env).start()
    alice = Client()
    alice.foreign = frozenset({"weather"})
    await alice.connect(server.url, server.token("alice"))
    await alice.ready()
    async with Program.running(command(), cwd=ROOT, env=env) as program:
        assert await program.ends() == 0
        assert program.lines == ["Published weather to user:alice in /chat"]
    assert await alice.event("weather") == {"t": 4}
    await alice.close()
    await server.stop()
    redis.close()


async def test_that_nobody_can_hear_it_is_told() -> None:
    nowhere = f"redis://127.0.0.1:{free_port()}/0"
    async with Program.running(command("--redis", nowhere), cwd=ROOT) as program:
        assert await program.ends() == 75
        assert program.lines[0].startswith("not published: ")
