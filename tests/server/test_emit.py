"""``parley emit``, against a running server."""

import asyncio
import contextlib
import os
import socket
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from parley.server.emit import Emitter, NoAnswer
from parley.storage.models import Timestamp, UserId
from parley.storage.sqlite.database import Database
from tests.clients import Client
from tests.programs import Program
from tests.servers import ServerProcess
from tests.storage.stores import sqlite_store

Emit = Callable[..., Awaitable[tuple[int, list[str]]]]
TEA = ("--title", "Tea", "--body", "is ready")


@pytest.fixture
def emit(tmp_path: Path) -> Emit:
    """Return what runs the command in an empty folder: its exit status, and what it printed."""

    async def emit(*words: str, **env: str) -> tuple[int, list[str]]:
        command = [sys.executable, "-m", "parley.server", "emit", *words]
        path = {"PYTHONPATH": os.pathsep.join(sys.path), "TOKEN": ""}
        async with Program.running(command, cwd=tmp_path, env={**path, **env}) as program:
            return await program.ends(), program.lines

    return emit


async def test_a_notification_is_emitted_with_the_servers_own_key(
    server: ServerProcess, emit: Emit
) -> None:
    words = (*TEA, "--to", "alice", "--to", "bob", "--data", '{"cups": 2}', "--expires-in", "7d")
    own = {"PARLEY_DATA_DIR": str(server.data_dir), "PARLEY_PORT": str(server.port)}
    for _ in range(2):
        status, lines = await emit("notification", *words[:-2], "--key", "deploy-1.4.2", **own)
        assert (status, lines) == (0, ["Stored for 2 of 2 users"])
    status, lines = await emit("notification", *words, **own)
    assert (status, lines) == (0, ["Stored for 2 of 2 users"])
    alice = Client("/notification")
    await alice.connect(server.url, server.token("alice"))
    await alice.ready()
    first, second = (await alice.call("list"))["notifications"][::-1]
    assert first["content"] == {"title": "Tea", "body": "is ready", "data": {"cups": 2}}
    assert ("expires_at" in first, "expires_at" in second) == (False, True)
    await alice.close()


async def test_how_far_it_is_is_shown_on_the_way(tmp_path: Path, emit: Emit) -> None:
    async with Database.open(tmp_path / "data") as database:
        users = sqlite_store(database).users
        names = (UserId(f"user-{n}") for n in range(1_200))
        await asyncio.gather(*(users.see(name, None, Timestamp(1)) for name in names))
    server = await ServerProcess(tmp_path / "data").start()
    token = server.token("root", roles=["admin"])
    status, lines = await emit("notification", *TEA, "--all", "--url", server.url, TOKEN=token)
    assert (status, lines[-1]) == (0, "Stored for 1201 of 1201 users")
    assert all(line.endswith("of 1201 users") for line in lines)
    await server.stop()


async def test_an_announcement_is_heard_once_by_each_connection(
    server: ServerProcess, emit: Emit
) -> None:
    chat, bell = Client(), Client("/notification")
    for client in (chat, bell):
        await client.connect(server.url, server.token("alice"))
        await client.ready()
    token = server.token("root", roles=["admin"])
    words = ("announcement", "Tea at four", "--url", server.url, "--token", token)
    assert await emit(*words) == (0, ["Told to 2 connections"])
    for client in (chat, bell):
        told = await client.event("system", lambda data: data["code"] == "announcement")
        assert (told["content"], told["from"]) == ({"text": "Tea at four"}, "root")
    await chat.close()
    await bell.close()


async def test_a_node_of_a_cluster_needs_no_key_file(server: ServerProcess, emit: Emit) -> None:
    words = ("announcement", "x", "--url", server.url)
    status, lines = await emit(*words, PARLEY_CLUSTER_KEY="another-cluster-s-key-of-40-characters.")
    assert (status, lines) == (
        1,
        ["parley: unauthorized: the token is signed with a key (kid) that is not known here"],
    )


async def test_what_the_server_refuses_is_said(server: ServerProcess, emit: Emit) -> None:
    here = ("--url", server.url)
    status, lines = await emit(
        "notification", *TEA, "--to", "alice", *here, TOKEN=server.token("alice")
    )
    assert (status, lines) == (1, ["parley: forbidden: only for tokens with the role admin"])
    admin = server.token("root", roles=["admin"])
    status, lines = await emit("notification", *TEA, "--to", "a b", *here, TOKEN=admin)
    assert status == 1
    assert lines[1:] == ["parley: /user_ids/0: not a user id"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("notification", *TEA), "whom is it for"),
        (("notification", *TEA, "--all", "--to", "alice"), "whom is it for"),
        (("notification", *TEA, "--all", "--data", "[]"), "is not an object"),
        (("notification", *TEA, "--all", "--url", "ftp://x"), "is not an http(s) address"),
        (("notification", *TEA, "--all"), "no token, and no key of a server"),
        (("announcement",), "Missing argument"),
    ],
)
async def test_what_cannot_be_is_said_before_anything_is_sent(
    emit: Emit, words: tuple[str, ...], said: str
) -> None:
    status, lines = await emit(*words)
    assert status == 2
    assert said in "\n".join(lines)


async def test_a_server_that_is_not_there_is_said(emit: Emit) -> None:
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
    status, lines = await emit("announcement", "x", "--url", f"http://127.0.0.1:{port}", TOKEN="x")
    assert status == 75
    assert lines[0].startswith(f"parley: nobody answers at http://127.0.0.1:{port}")
    assert lines[1] == "parley: Nobody heard it."
    waited: list[float] = []
    emitter = Emitter(f"http://127.0.0.1:{port}", "x", sleep=waited.append)
    with pytest.raises(NoAnswer, match="nobody answers"):
        next(emitter.publish({}, "01HZX3W9A1"))
    assert waited == [1, 2, 4, 8]
