"""The receiver of pushes, with a server that pushes to it."""

import contextlib
import shlex
import sqlite3
import sys
import time
from collections.abc import AsyncIterator
from http import HTTPStatus
from pathlib import Path

import aiohttp
import orjson
import pytest

from parley.server.push import sign
from tests.e2e.examples.running import ROOT, Running, commands
from tests.programs import Program
from tests.servers import ServerProcess
from tests.until import until

START, SERVE, EMIT = commands("webhook")
SECRET = shlex.split(START)[0].partition("=")[2]


def receiver(memory: Path, port: int = 0) -> Running:
    """Run the readme's first command with a memory of the test's own."""
    secret, python, *program = shlex.split(START)
    assert python == ".venv/bin/python"
    name, _, value = secret.partition("=")
    command = [sys.executable, *program, "--port", str(port), "--memory", str(memory)]
    return Program.running(command, cwd=ROOT, env={name: value, "PYTHONUNBUFFERED": "1"})


async def url_of(program: Program) -> str:
    """Return where a receiver listens."""
    return (await program.prints("Receiving pushes on")).rpartition(" ")[2]


@pytest.fixture
async def pushing(tmp_path: Path) -> AsyncIterator[tuple[ServerProcess, Path, int]]:
    """Return a server that pushes, and memory and port of its receiver."""
    memory = tmp_path / "handled.sqlite3"
    async with receiver(memory) as program:
        port = int((await url_of(program)).rstrip("/").rpartition(":")[2])
    settings = dict(word.split("=", 1) for word in shlex.split(SERVE) if "=" in word)
    assert settings["PARLEY_PUSH_SECRET"] == SECRET
    settings |= {"PARLEY_PUSH_URL": f"http://127.0.0.1:{port}/", "PARLEY_PUSH_AFTER_MS": "100"}
    server = await ServerProcess(tmp_path / "data", settings).start()
    yield server, memory, port
    await server.stop()


async def emit(server: ServerProcess, *more: str) -> None:
    """Run the readme's last command."""
    program, *words = shlex.split(EMIT)
    assert program == ".venv/bin/parley"
    command = [sys.executable, "-m", "parley.server", *words, "--url", server.url, *more]
    env = {"PARLEY_DATA_DIR": str(server.data_dir), "PYTHONPATH": ":".join(sys.path), "TOKEN": ""}
    async with Program.running(command, cwd=ROOT, env=env) as running:
        assert await running.ends() == 0


async def test_a_push_is_printed(pushing: tuple[ServerProcess, Path, int]) -> None:
    server, memory, port = pushing
    async with receiver(memory, port) as program:
        await emit(server)
        assert await program.prints("carol") == "carol: Tea is ready: In the kitchen"


async def test_what_came_while_it_was_away_is_printed_once(
    pushing: tuple[ServerProcess, Path, int],
) -> None:
    """Also where it dies after it has handled some, and remembers that."""
    server, memory, port = pushing
    for number in range(3):
        await emit(server, "--title", f"before {number}")
    await server.prints(b"push: no answer")
    printed: list[str] = []
    for number in range(2):
        async with receiver(memory, port) as program:
            await emit(server, "--title", f"after {number}")
            await _remembered(memory, 4 + number)
        printed += [line for line in program.lines if line.startswith("carol")]
    titles = sorted(line.split(": ")[1] for line in printed)
    assert titles == ["after 0", "after 1", "before 0", "before 1", "before 2"]


async def _remembered(memory: Path, pushes: int) -> None:
    """Wait until a receiver that starts now would drop so many."""
    with contextlib.closing(sqlite3.connect(memory)) as file:
        count = "SELECT count(*) FROM handled"
        await until(lambda: file.execute(count).fetchone() == (pushes,))


async def test_only_what_is_genuine_and_new_is_handled(tmp_path: Path) -> None:
    content = {"title": "Tea", "body": "is\x1b[2J ready"}
    body = orjson.dumps({"id": "1", "notification": {"to": "alice", "content": content}})
    now = str(int(time.time()))
    good = {"Parley-Timestamp": now, "Parley-Signature": sign(SECRET.encode(), now, body)}
    old = str(int(now) - 301)
    wrong = [
        {},
        {**good, "Parley-Signature": "v1=" + "0" * 64},
        {**good, "Parley-Signature": "é"},
        {**good, "Parley-Timestamp": old},
        {"Parley-Timestamp": old, "Parley-Signature": sign(SECRET.encode(), old, body)},
        {"Parley-Timestamp": "x", "Parley-Signature": sign(SECRET.encode(), "x", body)},
        {"Parley-Timestamp": now, "Parley-Signature": sign(b"another secret", now, body)},
    ]
    async with receiver(tmp_path / "handled.sqlite3") as program, aiohttp.ClientSession() as http:
        url = await url_of(program)

        async def post(headers: dict[str, str], data: bytes = body) -> int:
            async with http.post(url, data=data, headers=headers) as answer:
                return answer.status

        assert {await post(headers) for headers in wrong} == {HTTPStatus.UNAUTHORIZED}
        assert await post(good, body + b" ") == HTTPStatus.UNAUTHORIZED
        assert await post(good, b"x" * 70_000) == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        assert [await post(good) for _ in range(3)] == [204, 200, 200]
        assert await program.prints("alice") == "alice: Tea: is[2J ready"
        assert len([line for line in program.lines if line.startswith("alice")]) == 1


async def test_it_wants_a_secret(tmp_path: Path) -> None:
    command = [sys.executable, *shlex.split(START)[2:]]
    async with Program.running(command, cwd=ROOT, env={"PUSH_SECRET": ""}) as program:
        assert await program.ends() == 2
        assert "PUSH_SECRET is not set" in program.lines[-1]
