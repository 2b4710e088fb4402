import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from parley.namespaces.errors import RoomFull
from parley.server.auth import TokenAuthenticator, TokenMint
from parley.server.http import application
from parley.server.http.development import user_id_of
from parley.server.keys import KeyRing, SigningKey
from parley.server.settings import Settings

Client = TestClient[web.Request, web.Application]
AiohttpClient = Callable[[web.Application], Awaitable[Client]]

KEYS = KeyRing((SigningKey.generate(),))
EIO = "/socket.io/?EIO=4&transport=polling"


@pytest.fixture
def start(aiohttp_client: AiohttpClient) -> Callable[..., Awaitable[Client]]:
    async def run(*allowed: str, dev_login: bool = True) -> Client:
        settings = Settings(dev_login=dev_login, origins=frozenset(allowed))
        app = application(settings, server_id="n1", mint=TokenMint(KEYS))
        # In place of Socket.IO, and added as late as that is.
        app.router.add_route("*", "/socket.io/", _behind_the_gate)
        app.router.add_get("/full", _full)
        app.router.add_get("/bug", _bug)
        return await aiohttp_client(app)

    return run


Start = Callable[..., Awaitable[Client]]


async def _behind_the_gate(_request: web.Request) -> web.Response:
    return web.Response(text="through")


async def _full(_request: web.Request) -> web.Response:
    raise RoomFull(room_id="r1")


async def _bug(_request: web.Request) -> web.Response:
    raise RuntimeError("private detail")


async def answer(client: Client, path: str, **headers: str) -> tuple[int, dict[str, Any]]:
    async with client.get(path, headers=headers) as response:
        return response.status, await response.json()


async def login(client: Client, body: object, **headers: str) -> tuple[int, dict[str, Any]]:
    data = body if isinstance(body, str) else json.dumps(body)
    headers = {"Content-Type": "application/json"} | headers
    async with client.post("/dev/login", data=data, headers=headers) as response:
        return response.status, await response.json()


async def test_health(start: Start) -> None:
    client = await start()
    assert await answer(client, "/healthz") == (200, {"status": "ok", "server_id": "n1"})


async def test_an_error_has_the_body_of_an_ack(start: Start) -> None:
    status, body = await answer(await start(), "/full")
    assert status == 409
    assert body == {
        "error": {
            "code": "room_full",
            "message": "The room has as many members as it may have",
            "retryable": False,
            "details": {"room_id": "r1"},
        }
    }


async def test_a_bug_is_told_by_its_number_only(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    status, body = await answer(await start(), "/bug")
    assert (status, body["error"]["code"]) == (500, "internal")
    assert "private" not in json.dumps(body)
    assert body["error"]["details"]["incident"] in caplog.text


async def test_an_unknown_path_is_not_found(start: Start) -> None:
    client = await start()
    for path in ("/nothing", "/api/v1/rooms", "/socket.io", "/healthz/"):
        async with client.get(path) as response:
            assert response.status == 404


async def test_sign_in_by_name(start: Start) -> None:
    client = await start()
    assert await answer(client, "/dev/login") == (200, {})
    status, body = await login(client, {"name": " Alice Smith "})
    assert (status, body["user_id"]) == (200, "alice-smith")
    identity = TokenAuthenticator(KEYS)(body["token"])
    assert (identity.user_id, identity.name) == ("alice-smith", "Alice Smith")


async def test_sign_in_by_name_is_not_there_unless_wanted(start: Start) -> None:
    client = await start(dev_login=False)
    for request in (client.get("/dev/login"), client.post("/dev/login", json={"name": "a"})):
        async with request as response:
            assert response.status == 404


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"name": ""}, "/name"),
        ({"name": "  "}, "/name"),
        ({"name": "a" * 81}, "/name"),
        ({"name": "a\u0000b"}, "/name"),
        ({"name": 5}, "/name"),
        ({"name": None}, "/name"),
        ({}, "/name"),
        ({"name": "a", "admin": True}, "/admin"),
        ([], ""),
        ("not json", ""),
        ("[" * 100_000, ""),
        ("\ud800".encode("utf-16", "surrogatepass").decode("latin-1"), ""),
    ],
)
async def test_a_bad_name_is_pointed_at(start: Start, body: object, pointer: str) -> None:
    status, answered = await login(await start(), body)
    assert (status, answered["error"]["code"]) == (400, "invalid")
    assert answered["error"]["details"]["errors"][0]["pointer"] == pointer


async def test_a_form_is_not_json(start: Start) -> None:
    client = await start()
    async with client.post("/dev/login", data={"name": "alice"}) as response:
        assert response.status == 400


@pytest.mark.parametrize(
    ("name", "user_id"),
    [
        ("Alice", "alice"),
        ("Zoë  van Dijk", "zoe-van-dijk"),
        ("bob@example.org", "bob@example.org"),
        ("a/b\\c$", "abc"),
        ("x" * 80, "x" * 64),
        ("王芳", "user-8ac9540b"),
    ],
)
def test_a_user_id_comes_from_the_name(name: str, user_id: str) -> None:
    assert user_id_of(name) == user_id


async def test_a_page_of_another_site_cannot_sign_in(start: Start) -> None:
    client = await start("https://app.example")
    own = f"http://127.0.0.1:{client.port}"
    assert (await login(client, {"name": "a"}, Origin=own))[0] == 200
    assert (await login(client, {"name": "a"}, Origin="https://app.example"))[0] == 200
    assert (await login(client, {"name": "a"}, Origin="https://evil.example"))[0] == 403
    # A name of their own that they let point to this machine.
    rebound = {"Host": "evil.example:80", "Origin": "http://evil.example:80"}
    assert (await login(client, {"name": "a"}, **rebound))[0] == 403
    assert (await login(client, {"name": "a"}, Host="localhost:1"))[0] == 200
    assert (await login(client, {"name": "a"}, Host="[::1]:1"))[0] == 200


async def test_the_own_page_and_programs_come_through(start: Start) -> None:
    client = await start()
    own = f"http://127.0.0.1:{client.port}"
    for headers in ({}, {"Origin": own}, {"Origin": "https://a.example", "Host": "a.example"}):
        async with client.get(EIO, headers=headers) as response:
            assert await response.text() == "through"


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "file://", "http://[bad", "ftp://127.0.0.1", ""]
)
async def test_another_origin_is_refused_by_name(start: Start, origin: str) -> None:
    status, body = await answer(await start("https://app.example"), EIO, Origin=origin)
    assert (status, body["code"]) == (403, 4)
    assert f"the origin {origin} is not allowed" in body["message"]


async def test_a_refused_origin_is_logged_once(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    client = await start()
    for _ in range(3):
        await answer(client, EIO, Origin="https://evil.example")
    for number in range(300):
        await answer(client, EIO, Origin=f"https://{number}.example")
    [record] = [r for r in caplog.records if "evil.example" in r.getMessage()]
    assert record.levelno == logging.WARNING
    assert "PARLEY_ORIGINS" in record.getMessage()
    assert sum("refused the origin" in r.getMessage() for r in caplog.records) == 100


async def test_a_listed_origin_gets_cors(start: Start) -> None:
    client = await start("https://app.example")
    async with client.get(EIO, headers={"Origin": "https://app.example"}) as response:
        assert response.status == 200
        assert response.headers["Access-Control-Allow-Origin"] == "https://app.example"
        assert response.headers["Access-Control-Allow-Credentials"] == "true"
        assert response.headers["Vary"] == "Origin"


async def test_any_origin_gets_cors_without_cookies(start: Start) -> None:
    client = await start("*")
    async with client.get(EIO, headers={"Origin": "https://app.example"}) as response:
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        assert "Access-Control-Allow-Credentials" not in response.headers


async def test_a_preflight_is_answered_at_the_gate(start: Start) -> None:
    client = await start("https://app.example")
    headers = {
        "Origin": "https://app.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization",
    }
    async with client.options(EIO, headers=headers) as response:
        assert response.status == 204
        assert response.headers["Access-Control-Allow-Headers"] == "authorization"
    headers["Origin"] = "https://evil.example"
    async with client.options(EIO, headers=headers) as response:
        assert response.status == 403


@pytest.mark.parametrize("query", ["EIO=3", "EIO=2&transport=websocket", "", "EIO=", "EIO=44"])
async def test_an_old_client_learns_which_version_it_needs(start: Start, query: str) -> None:
    status, body = await answer(await start(), f"/socket.io/?{query}")
    assert (status, body["code"]) == (400, 5)
    assert body["message"].startswith("Unsupported protocol version")
    assert "Socket.IO client 3 or newer (Engine.IO 4)" in body["message"]


async def test_a_session_that_exists_needs_no_version(start: Start) -> None:
    client = await start()
    async with client.get("/socket.io/?transport=polling&sid=x") as response:
        assert await response.text() == "through"
