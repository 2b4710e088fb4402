"""The backend that posts by HTTP: stored once, in order, and told why if not."""

import shlex
import sys
from http import HTTPStatus

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.clients import Client
from tests.e2e.examples.running import ROOM, ROOT, commands, join, python_example, said
from tests.programs import Program
from tests.proxies import Proxy
from tests.servers import ServerProcess

PIPED = "| .venv/bin/python"


async def test_a_post_that_is_repeated_is_stored_once(server: ServerProcess, alice: Client) -> None:
    printed = list[str]()
    for _ in range(2):
        async with python_example("post.py say", url=server.url) as program:
            assert await program.ends() == 0
            printed += program.lines
    assert printed[1] == f"{printed[0]} (was there already)"
    room_id = await join(alice)
    assert await said(alice, room_id) == [("bot", "Deployed 1.4.2")]


async def test_lines_are_posted_in_order_and_seen_as_unread(
    server: ServerProcess, alice: Client
) -> None:
    await alice.call("create_room", name=ROOM, type="public", members=["bot"])
    for _ in range(2):
        async with python_example(PIPED, "--key", "nightly-7", url=server.url) as program:
            for line in ("one", "", "two"):
                program.type(line)
            assert await program.ends() == 0
    room_id = await join(alice)
    assert await said(alice, room_id) == [("bot", "one"), ("bot", "two")]
    content = {"text": "@bot thanks", "mentions": ["bot"]}
    await alice.call("chat", room_id=room_id, client_id="thanks-1", content=content)
    async with python_example("post.py rooms", url=server.url) as program:
        assert await program.ends() == 0
    assert program.lines == [
        f"    1 unread  {room_id}  {ROOM}",
        "    1 unread in all, 1 of them mention you",
    ]


async def test_a_post_whose_answer_is_lost_is_stored_once(
    server: ServerProcess, alice: Client
) -> None:
    await alice.call("create_room", name=ROOM, type="public", members=["bot"])
    async with (
        Proxy.before(server.port) as proxy,
        python_example(PIPED, url=proxy.url) as program,
    ):
        program.type("one")
        await program.prints("Stored")
        proxy.muted = True
        program.type("two")
        await alice.event("chat", lambda message: message["content"]["text"] == "two")
        proxy.cut()
        proxy.muted = False
        await program.prints("again in 1 s")
        await program.prints("(was there already)")
        assert await program.ends() == 0
    assert await said(alice, await join(alice)) == [("bot", "one"), ("bot", "two")]


@pytest.mark.slow
async def test_a_post_gets_past_a_gateway_that_is_not_well(
    server: ServerProcess, alice: Client
) -> None:
    await alice.call("create_room", name=ROOM, type="public", members=["bot"])
    keys = list[str | None]()

    async def gateway(request: web.Request) -> web.Response:
        if request.path.startswith("/api/v1/messages/"):
            keys.append(request.headers.get("Idempotency-Key"))
            if len(keys) == 1:
                return web.Response(status=HTTPStatus.BAD_GATEWAY, text="<h1>Bad gateway</h1>")
            if len(keys) == 2:
                wait = {"Retry-After": "2"}
                return web.Response(status=HTTPStatus.TOO_MANY_REQUESTS, headers=wait)
        headers = {k: v for k, v in request.headers.items() if k != "Host"}
        async with aiohttp.request(
            request.method,
            f"{server.url}{request.path_qs}",
            data=await request.read(),
            headers=headers,
        ) as answer:
            return web.Response(status=answer.status, body=await answer.read())

    front = TestServer(web.Application())
    front.app.router.add_route("*", "/{path:.*}", gateway)
    async with front, python_example(PIPED, url=str(front.make_url(""))) as program:
        program.type("one")
        assert await program.ends() == 0
    assert ["again in 1 s" in line for line in program.lines] == [True, False, False]
    assert "again in 2 s" in program.lines[1]
    assert keys == [keys[0]] * 3
    assert await said(alice, await join(alice)) == [("bot", "one")]


async def test_what_the_server_refuses_is_told(server: ServerProcess, alice: Client) -> None:
    async with python_example("post.py say", "--key", "short", url=server.url) as program:
        assert await program.ends() == 1
        assert "  /Idempotency-Key: " in program.lines[-1]
    async with python_example("post.py say", "--name", "Carol", url=server.url) as program:
        assert await program.ends() == 1
        assert program.lines == [f"not a member of {ROOM}: somebody who is can add you"]


async def test_a_notification_is_published_once(server: ServerProcess) -> None:
    [command] = [line for line in commands("python") if "post.py notify" in line]
    env = {"TOKEN": server.token("backend", roles=["admin"])}
    _, program = command.split(") ", 1)
    python, *words = shlex.split(program)
    assert python == ".venv/bin/python"
    for _ in range(2):
        start = [sys.executable, *words, "--url", server.url]
        async with Program.running(start, cwd=ROOT, env=env) as running:
            assert await running.ends() == 0
            assert running.lines == ["1 of 1 users"]
    bell = Client("/notification")
    await bell.connect(server.url, server.token("alice"))
    await bell.ready()
    [one] = bell.of("notification")
    assert one["content"] == {"title": "Deployed", "body": "Version 1.4.2 is live"}
    await bell.close()
