"""The documents and the page: they are valid, and they tell of all there is and of nothing else."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from parley.namespaces.errors import ClientError
from parley.server.http import docs
from parley.server.http.api import PREFIX, Route
from parley.server.http.documents import PATHS
from parley.server.http.openapi import openapi_document
from parley.server.http.router import TABLE
from tests.server.http.conftest import Caller

ROUTES = [route for routes in TABLE for route in routes]
GUIDE = Path(__file__).resolve().parents[3] / "docs" / "http.md"


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return openapi_document(TABLE, PATHS)


async def test_the_openapi_document_is_valid(nobody: Caller) -> None:
    answer = await nobody("GET", "/openapi.json")
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.body["openapi"] == "3.1.0"
    OpenAPIV31SpecValidator(answer.body).validate()


async def test_it_tells_of_every_path_the_router_knows(nobody: Caller) -> None:
    """A path that is not in the document is answered 404, one that is with something else."""
    told = (await nobody("GET", "/openapi.json")).body["paths"]
    assert sorted(told) == sorted({PREFIX + p for p in PATHS} | {PREFIX + r.path for r in ROUTES})
    for path, methods in told.items():
        known = {method.upper() for method in methods}
        answer = await nobody("PATCH", "/" + re.sub("{.*?}", "x", path))
        # Without a token all is 401; the public ones say what they take.
        assert answer.status in (401, 405)
        if answer.status == 405:
            assert known <= set(answer.headers["Allow"].split(", "))


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_an_operation_is_told_in_full(document: dict[str, Any], route: Route) -> None:
    told = document["paths"][PREFIX + route.path][route.method.lower()]
    assert told["operationId"] == route.name
    assert told["summary"]
    assert told["tags"] == [route.group]
    assert {"400", "401", "403", "500", "503"} <= told["responses"].keys()
    assert any(status.startswith("2") for status in told["responses"])
    placed = {parameter["name"] for parameter in told["parameters"]}
    assert set(re.findall(r"{(\w+)}", route.path)) <= placed
    assert route.has_body == ("requestBody" in told)
    for status, response in told["responses"].items():
        if not status.startswith("2"):
            content = _resolved(document, response)["content"]["application/json"]
            assert content["schema"] == {"$ref": "#/components/schemas/ErrorBody"}


def test_names_of_operations_are_unique(document: dict[str, Any]) -> None:
    names = [
        one["operationId"] for methods in document["paths"].values() for one in methods.values()
    ]
    assert len(names) == len(set(names))


def test_examples_of_errors_are_errors(document: dict[str, Any]) -> None:
    codes = {kind.code for kind in ClientError.__subclasses__()}
    for name, response in document["components"]["responses"].items():
        for code, example in response["content"]["application/json"]["examples"].items():
            assert code in codes
            assert example["value"]["error"]["code"] == code
            assert code in name


def _resolved(document: dict[str, Any], response: dict[str, Any]) -> Any:
    reference = response.get("$ref")
    if reference is None:
        return response
    return document["components"]["responses"][reference.rsplit("/", 1)[-1]]


async def test_the_asyncapi_document_names_the_address_it_was_asked_by(nobody: Caller) -> None:
    direct = (await nobody("GET", "/asyncapi.json")).body
    [server] = direct["servers"].values()
    assert server["host"] == nobody.url.removeprefix("http://")
    assert server["protocol"] == "ws"
    headers = {"Host": "chat.example", "X-Forwarded-Proto": "https"}
    [server] = (await nobody("GET", "/asyncapi.json", headers=headers)).body["servers"].values()
    assert (server["host"], server["protocol"]) == ("chat.example", "wss")


# The guide for people


def test_the_guide_lists_every_operation() -> None:
    rows = re.findall(r"^\| `(\w+) (/[^`]*)` \| (.*) \|$", GUIDE.read_text(), re.MULTILINE)
    wanted = [(route.method, route.path, route.summary) for route in ROUTES]
    assert rows[: len(wanted)] == wanted


async def test_the_examples_of_the_guide_work(alice: Caller, admin: Caller) -> None:
    tokens = {
        "$TOKEN": alice.headers["Authorization"].removeprefix("Bearer "),
        "$ADMIN_TOKEN": admin.headers["Authorization"].removeprefix("Bearer "),
        "$ROOM": await alice.room(),
        "http://127.0.0.1:8080": alice.url,
    }
    examples = re.findall(r"```sh\ncurl (.*?)```", GUIDE.read_text(), re.DOTALL)
    assert len(examples) == 7
    for example in examples:
        for name, value in tokens.items():
            example = example.replace(name, value)  # noqa: PLW2901
        headers, body, url = _curl(example)
        method = "GET" if body is None else "POST"
        async with alice.session.request(method, url, headers=headers, data=body) as response:
            assert response.status in (200, 201), await response.text()


def _curl(arguments: str) -> tuple[dict[str, str], str | None, str]:
    """Return headers, body and address of a call of curl."""
    headers: dict[str, str] = {}
    body, url = None, ""
    words = iter(shlex.split(arguments))
    for word in words:
        if word == "-H":
            name, _, value = next(words).partition(": ")
            headers[name] = value
        elif word == "-d":
            body = next(words)
        else:
            url = word
    return headers, body, url


# The page


async def test_the_page_asks_for_nothing_from_elsewhere(nobody: Caller) -> None:
    async with nobody.session.get(f"{nobody.url}/api/docs") as response:
        page = await response.text()
        policy = response.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "http" not in policy
    assert policy.startswith("default-src 'none'")
    named = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert named
    assert not [path for path in named if "//" in path]
    for path in named:
        async with nobody.session.get(f"{nobody.url}/api/{path}") as response:
            assert response.status == 200


async def test_every_file_of_the_page_is_served(nobody: Caller) -> None:
    folder = Path(docs.__file__).parent / "docs_page"
    for file in folder.iterdir():
        path = "" if file.name == "index.html" else f"/{file.name}"
        async with nobody.session.get(f"{nobody.url}/api/docs{path}") as response:
            assert response.status == 200
            assert await response.read() == file.read_bytes()
            assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_the_page_is_in_the_package() -> None:
    setup = (GUIDE.parents[1] / "setup.cfg").read_text()
    assert "parley.server.http = docs_page/*" in setup
