"""A server in this process, on a free port, and people who ask it over HTTP."""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from parley.server.app import running
from parley.server.assembly import Node
from parley.server.settings import Settings
from tests.disk import Disk

BAD_INPUT = (400, 413, 422)
OTHER_PAGE = "https://app.example"  # a web page that may ask


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    body: Any  # of JSON; None where there is none
    headers: Mapping[str, str]

    @property
    def code(self) -> str:
        """Return the code of an error."""
        return str(self.body["error"]["code"])

    @property
    def pointers(self) -> list[str]:
        """Return where an error points to."""
        return [error["pointer"] for error in self.body["error"]["details"]["errors"]]


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody with a token, or without one."""

    session: ClientSession
    url: str
    headers: Mapping[str, str]
    disk: Disk | None = None  # of the server; None: it is not looked at

    async def __call__(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **options: Any
    ) -> Answer:
        """Ask for a path below ``/api/v1``; another one begins with two slashes.

        Bad input must write nothing: the test fails, if nobody else writes meanwhile.
        """
        before = self.disk and self.disk.version
        url = self.url + (path[1:] if path.startswith("//") else f"/api/v1{path}")
        sent = {**self.headers, **(headers or {})}
        async with self.session.request(method, url, headers=sent, **options) as response:
            has_body = response.content_type == "application/json" and method != "HEAD"
            body = await response.json() if has_body else None
        if response.status in BAD_INPUT:
            assert (self.disk and self.disk.version) == before, f"{method} {path} wrote something"
        return Answer(response.status, body, response.headers)

    async def data(self, method: str, path: str, **options: Any) -> Any:
        """Do the same and return what a success brings."""
        answer = await self(method, path, **options)
        assert answer.status in (200, 201), answer
        return answer.body

    async def room(self, **fields: Any) -> str:
        """Make a public room and return its id."""
        made = await self.data("POST", "/rooms", json={"name": "Tea", "type": "public", **fields})
        return str(made["room"]["id"])

    async def say(self, room_id: str, text: str) -> Any:
        """Send a message."""
        body = {"content": {"text": text}}
        return await self.data("POST", f"/messages/rooms/{room_id}", json=body)

    async def walk(self, path: str, **query: Any) -> list[list[Any]]:
        """Return every page of a list."""
        pages: list[list[Any]] = []
        while True:
            page = await self.data("GET", path, params=query)
            pages.append(page["items"])
            if "next" not in page:
                return pages
            query["cursor"] = page["next"]


Callers = Callable[..., Caller]


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[Node]:
    """Return a running server of the test's own."""
    settings = Settings(port=0, data_dir=tmp_path / "data", origins=frozenset({OTHER_PAGE}))
    async with running(settings) as node:
        yield node


def calling(
    node: Node,
    session: ClientSession,
    user_id: str,
    *roles: str,
    name: str | None = None,
    disk: Disk | None = None,
) -> Caller:
    """Return somebody who has a token with these roles."""
    token = node.mint.mint(user_id, name=name, roles=roles, ttl_s=600)
    url = f"http://127.0.0.1:{node.port}"
    return Caller(session, url, {"Authorization": f"Bearer {token}"}, disk)


async def known(somebody: Caller) -> Caller:
    """Return somebody whose record is there: it appears with the first request, good or bad."""
    await somebody.data("GET", "/rooms")
    return somebody


@pytest.fixture
async def caller(node: Node, tmp_path: Path) -> AsyncIterator[Callers]:
    """Return `calling` for the server."""
    with Disk.watched(tmp_path / "data") as disk:
        async with ClientSession() as session:
            yield partial(calling, node, session, disk=disk)


@pytest.fixture
async def alice(caller: Callers) -> Caller:
    return await known(caller("alice", name="Alice"))


@pytest.fixture
async def bob(caller: Callers) -> Caller:
    return await known(caller("bob"))


@pytest.fixture
async def admin(caller: Callers) -> Caller:
    return await known(caller("root", "admin"))


@pytest.fixture
def nobody(alice: Caller) -> Caller:
    return Caller(alice.session, alice.url, {}, alice.disk)
