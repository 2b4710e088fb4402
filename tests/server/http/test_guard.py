"""What every request meets: tokens, origins, bodies, methods, a server that is being stopped."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from aiohttp import ClientSession
from multidict import CIMultiDict

from parley.namespaces.errors import Unavailable
from parley.server.app import running
from parley.server.assembly import Node
from parley.server.http.api import MAX_BODY_BYTES, Route
from parley.server.http.router import TABLE
from parley.server.settings import Settings
from tests.server.http.conftest import OTHER_PAGE, Caller, Callers, calling

ROUTES = [route for routes in TABLE for route in routes]
JSON = {"Content-Type": "application/json"}

NO_ID = "0" * 24
EXAMPLES = {
    "room_id": NO_ID,
    "message_id": NO_ID,
    "publication_id": NO_ID,
    "user_id": "bob",
}


def path_of(route: Route) -> str:
    return route.path.format(**EXAMPLES)


# Tokens


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
async def test_nothing_without_a_token(nobody: Caller, route: Route) -> None:
    answer = await nobody(route.method, path_of(route))
    assert (answer.status, answer.code) == (401, "unauthorized")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


async def test_not_even_what_there_is(nobody: Caller) -> None:
    for method, path in [
        ("GET", ""),
        ("GET", "/"),
        ("GET", "/nothing"),
        ("GET", "//api/v1/"),
        ("PATCH", "/rooms"),
        ("OPTIONS", "/rooms"),
        ("HEAD", "/rooms"),
    ]:
        assert (await nobody(method, path)).status == 401, path


@pytest.mark.parametrize(
    "value",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer x",
        "Bearer a.b.c",
        "Basic YTpi",
        f"Bearer {'x' * 7_000}",
        "Bearer é",
    ],
)
async def test_a_wrong_token_is_none(nobody: Caller, value: str) -> None:
    answer = await nobody("GET", "/rooms", headers={"Authorization": value})
    assert (answer.status, answer.code) == (401, "unauthorized")


async def test_a_token_of_another_server_is_none(node: Node, nobody: Caller) -> None:
    token = node.mint.mint("alice", ttl_s=600)
    for other in (token[:-2] + ("AA" if token[-2:] != "AA" else "BB"), f"{token}.x"):
        answer = await nobody("GET", "/rooms", headers={"Authorization": f"Bearer {other}"})
        assert answer.status == 401
    expired = node.mint.mint("alice", ttl_s=-60)
    answer = await nobody("GET", "/rooms", headers={"Authorization": f"bearer {expired}"})
    assert "expired" in answer.body["error"]["message"]


async def test_the_documents_are_for_everybody(nobody: Caller) -> None:
    for path in ("/openapi.json", "/asyncapi.json", "//healthz", "//readyz", "//api/docs"):
        assert (await nobody("GET", path)).status == 200, path


# Paths and methods


async def test_an_unknown_path_is_not_found(alice: Caller) -> None:
    for path in ("", "/", "/nothing", "/rooms/", "/rooms//members", "/ROOMS"):
        answer = await alice("GET", path)
        assert (answer.status, answer.code) == (404, "not_found"), path


async def test_another_method_is_told_which_there_are(alice: Caller) -> None:
    answer = await alice("PATCH", "/rooms")
    assert (answer.status, answer.code) == (405, "invalid")
    assert answer.headers["Allow"] == "GET, HEAD, POST"
    assert (await alice("POST", "/openapi.json")).headers["Allow"] == "GET, HEAD"


async def test_head_is_get_without_a_body(alice: Caller) -> None:
    path = f"/rooms/{await alice.room()}"
    head, get = await alice("HEAD", path), await alice("GET", path)
    assert (head.status, head.body) == (200, None)
    for name in ("ETag", "Content-Type", "Content-Length"):
        assert head.headers[name] == get.headers[name]


async def test_nobody_keeps_an_answer(alice: Caller) -> None:
    for path in ("/rooms", "/nothing", "/rooms/x"):
        assert (await alice("GET", path)).headers["Cache-Control"] == "no-store"


# Bodies


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"", JSON),
        (b"{}", {"Content-Type": "text/plain"}),
        (b"name=Tea", {"Content-Type": "application/x-www-form-urlencoded"}),
        (b"[]", JSON),
        (b"null", JSON),
        (b'"x"', JSON),
        (b"{", JSON),
        (b'{"name": NaN}', JSON),
        (b"\xff", JSON),
        (b'{"name": "\xff"}', JSON),
        ('{"name": "Tea"}'.encode("utf-16"), JSON),
        (b'{"name": "\\ud800"}', JSON),
        (b"[" * 60_000, JSON),
        (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, JSON),
    ],
)
async def test_what_is_no_json_object_is_refused(
    alice: Caller, body: bytes, headers: dict[str, str]
) -> None:
    answer = await alice("POST", "/rooms", data=body, headers=headers)
    assert (answer.status, answer.code, answer.pointers) == (400, "invalid", [""])


async def test_depth_is_bounded(alice: Caller) -> None:
    body = b'{"name":' + b"[" * 100 + b"]" * 100 + b"}"
    answer = await alice("POST", "/rooms", data=body, headers=JSON)
    assert (answer.status, answer.code) == (400, "invalid")
    assert "nested deeper" in answer.body["error"]["details"]["errors"][0]["message"]


@pytest.mark.parametrize("over", [0, 1, 900_000])
async def test_a_body_is_bounded(alice: Caller, over: int) -> None:
    path = f"/rooms/{await alice.room()}"
    padding = " " * (MAX_BODY_BYTES - len('{"name":"Big"}') + over)
    answer = await alice("PUT", path, data=f'{{"name":"Big"{padding}}}', headers=JSON)
    assert answer.status == (413 if over else 200)
    if over:
        assert answer.code == "too_large"


async def test_a_compressed_body_is_refused(alice: Caller) -> None:
    for encoding in ("gzip", "deflate", "br", "identity, gzip"):
        headers = {**JSON, "Content-Encoding": encoding}
        for body in (gzip.compress(b'{"name": "Tea", "type": "public"}'), b"garbage"):
            answer = await alice("POST", "/rooms", data=body, headers=headers)
            assert (answer.status, answer.pointers) == (400, [""])


async def test_a_client_that_leaves_in_the_middle_is_no_incident(
    node: Node, alice: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", node.port)
    token = alice.headers["Authorization"]
    head = f"POST /api/v1/rooms HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\n"
    head += "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n"
    writer.write(head.encode() + b'{"name": ')
    await writer.drain()
    await alice("GET", "/rooms")  # by now the other request has begun
    writer.close()
    await writer.wait_closed()
    await alice("GET", "/rooms")
    assert "incident" not in caplog.text
    assert (await alice.data("GET", "/rooms"))["items"] == []


async def test_a_header_that_comes_twice_is_refused(alice: Caller) -> None:
    for name, values in (("Idempotency-Key", ("01HZX3W9A1", "01HZX3W9A2")), ("If-Match", '""')):
        headers = CIMultiDict(alice.headers)
        for value in values:
            headers.add(name, value)
        url = f"{alice.url}/api/v1/rooms/{await alice.room()}"
        async with alice.session.put(url, json={"name": "New"}, headers=headers) as response:
            told = await response.json()
        assert (response.status, told["error"]["code"]) == (400, "invalid")
        assert told["error"]["details"]["errors"][0]["pointer"] == f"/{name}"


async def test_a_header_that_is_no_text_is_pointed_at(alice: Caller) -> None:
    body = {"name": "Tea", "type": "public"}
    answer = await alice("POST", "/rooms", json=body, headers={"Idempotency-Key": "\udcff" * 8})
    assert (answer.status, answer.pointers) == (400, ["/Idempotency-Key"])


async def test_a_chunked_body_is_read_to_its_end(alice: Caller) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for part in (b'{"name": ', b'"Tea", ', b'"type": "public"}'):
            yield part
            await asyncio.sleep(0)

    assert (await alice("POST", "/rooms", data=chunks(), headers=JSON)).status == 201


# Other origins


async def test_a_page_of_a_listed_origin_may_ask(alice: Caller, nobody: Caller) -> None:
    origin = {"Origin": OTHER_PAGE}
    preflight = {
        **origin,
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "authorization,idempotency-key,if-match",
    }
    for path in ("/rooms", "/rooms/x", "/openapi.json"):
        allowed = await nobody("OPTIONS", path, headers=preflight)
        assert allowed.status == 204
        assert allowed.headers["Access-Control-Allow-Origin"] == OTHER_PAGE
        assert "PUT" in allowed.headers["Access-Control-Allow-Methods"]
        assert "Idempotency-Key" in allowed.headers["Access-Control-Allow-Headers"]
    for caller, status in ((alice, 200), (nobody, 401)):
        # A refusal as well, or the page never learns why.
        answer = await caller("GET", "/rooms", headers=origin)
        assert answer.status == status
        assert answer.headers["Access-Control-Allow-Origin"] == OTHER_PAGE
        assert answer.headers["Vary"] == "Origin"
        assert "ETag" in answer.headers["Access-Control-Expose-Headers"]
        assert "Access-Control-Allow-Credentials" not in answer.headers


async def test_a_page_of_another_origin_may_not(alice: Caller, nobody: Caller) -> None:
    origin = {"Origin": "https://evil.example"}
    preflight = {**origin, "Access-Control-Request-Method": "GET"}
    for answer in (
        await alice("GET", "/rooms", headers=origin),
        await nobody("GET", "/openapi.json", headers=origin),
        await nobody("OPTIONS", "/rooms", headers=preflight),
    ):
        assert (answer.status, answer.code) == (403, "forbidden")
        assert "Access-Control-Allow-Origin" not in answer.headers


# Trouble


async def test_storage_that_is_away_is_told(
    node: Node, caller: Callers, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> None:
        error = Unavailable()
        error.retry_after_ms = 1_500
        raise error

    monkeypatch.setattr(node.api.services.users, "see", away)
    answer = await caller("alice")("GET", "/rooms")  # her first request
    assert (answer.status, answer.code) == (503, "unavailable")
    assert answer.headers["Retry-After"] == "2"


async def test_a_bug_is_told_by_its_number_only(
    node: Node, alice: Caller, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError("private detail")

    monkeypatch.setattr(node.api.services.users, "get", broken)
    answer = await alice("GET", "/users/bob")
    assert (answer.status, answer.code) == (500, "internal")
    assert "private" not in json.dumps(answer.body)
    assert answer.body["error"]["details"]["incident"] in caplog.text


async def test_a_server_that_stops_answers_what_it_took(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Requests that are under way end well; later ones are told to come back."""
    held, release, stops = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def hold(user_id: str, *_: object) -> None:
        if user_id == "carol":
            held.set()
            await release.wait()

    async with ClientSession() as session, AsyncExitStack() as server:
        settings = Settings(port=0, data_dir=tmp_path)
        node = await server.enter_async_context(running(settings))
        drain = node.api.in_flight.drain

        async def drain_and_tell() -> None:
            stops.set()
            await drain()

        monkeypatch.setattr(node.api.in_flight, "drain", drain_and_tell)
        monkeypatch.setattr(node.api.services.users, "get", hold)
        monkeypatch.setattr(node.api.services.users, "see", hold)
        alice = calling(node, session, "alice")
        under_way = asyncio.create_task(alice("GET", "/users/carol"))
        await held.wait()
        await alice("GET", "/rooms")  # its connection stays open: nobody new can come in
        stopping = asyncio.create_task(server.aclose())
        await stops.wait()
        refused = await alice("GET", "/rooms")
        assert (refused.status, refused.code) == (503, "draining")
        assert refused.headers["Retry-After"] == "1"
        assert refused.headers["Connection"] == "close"
        assert refused.body["error"]["retry_after_ms"] == 1_000
        release.set()
        assert (await under_way).status == 404  # nobody has seen her; but that is an answer
        await stopping


async def test_a_server_that_stops_is_not_ready(node: Node, nobody: Caller) -> None:
    node.admission.close()
    answer = await nobody("GET", "//readyz")
    assert (answer.status, answer.body["status"]) == (503, "draining")


async def test_a_server_that_is_ready_says_so(node: Node, nobody: Caller) -> None:
    ready = await nobody("GET", "//readyz")
    checks = {"storage": "ok", "bus": "ok"}
    assert (ready.status, ready.body) == (200, {"status": "ok", "checks": checks})


async def test_storage_that_does_not_answer_is_not_ready(
    node: Node, nobody: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hangs(_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(node.api.services.users, "get", hangs)
    answer = await nobody("GET", "//readyz")
    assert answer.status == 503
    checks = {"storage": "unavailable", "bus": "ok"}
    assert answer.body == {"status": "unavailable", "checks": checks}
    assert (await nobody("GET", "//healthz")).status == 200
