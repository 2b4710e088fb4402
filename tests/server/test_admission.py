"""New connections are turned away where they would harm those that are there."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from parley.server import open_files
from parley.server.app import running
from parley.server.assembly import Node
from parley.server.lag import IN_A_ROW, PROBE_S, Lag
from parley.server.settings import Settings
from tests.links import LINKS, Link

LIMIT_MS = 50
WAIT_S = 20.0


class Load:
    """Keeps the event loop busy for so long in each of its turns."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._handle: asyncio.Handle | None = None

    async def __aenter__(self) -> None:
        self._burn()

    async def __aexit__(self, *_: object) -> None:
        assert self._handle is not None
        self._handle.cancel()

    def _burn(self) -> None:
        end = time.perf_counter() + self._seconds
        while time.perf_counter() < end:
            pass
        self._handle = asyncio.get_running_loop().call_soon(self._burn)


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[Node]:
    settings = Settings(port=0, data_dir=tmp_path, max_connections=10, max_lag_ms=LIMIT_MS)
    async with running(settings) as node:
        yield node


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as http:
        yield http


async def handshake(http: aiohttp.ClientSession, node: Node, transport: str) -> tuple[int, str]:
    url = f"http://127.0.0.1:{node.port}/socket.io/"
    async with http.get(url, params={"EIO": "4", "transport": transport}) as response:
        assert (response.status == 503) is ("Retry-After" in response.headers)
        return response.status, await response.text()


async def join(link: Link, node: Node) -> None:
    token = node.mint.mint("ann", name=None, ttl_s=60)
    await link.send(f'40/chat,{{"token":"{token}"}}')
    while '"done":true' not in str(await link.receive()):
        pass


@pytest.mark.parametrize("kind", LINKS)
async def test_a_full_server_lets_nobody_new_in(
    node: Node, http: aiohttp.ClientSession, kind: str
) -> None:
    url = f"http://127.0.0.1:{node.port}/socket.io/"
    links = [await LINKS[kind](http, url).open() for _ in range(9)]  # nine tenths of ten
    for transport in ("polling", "websocket"):
        status, text = await handshake(http, node, transport)
        assert (status, "the server is full" in text) == (503, True)
    for link in links:
        await join(link, node)
    async with http.get(f"http://127.0.0.1:{node.port}/readyz") as response:
        assert response.status == 200  # the API has room
    async with http.get(f"http://127.0.0.1:{node.port}/readyz?new") as response:
        assert (await response.json())["checks"]["new"] == "the server is full"
        assert response.status == 503
    await links.pop().leave()
    async with asyncio.timeout(WAIT_S):
        while (await handshake(http, node, "polling"))[0] != 200:
            pass


async def test_a_server_that_lags_lets_nobody_new_in(
    node: Node, http: aiohttp.ClientSession
) -> None:
    url = f"http://127.0.0.1:{node.port}/socket.io/"
    link = await LINKS["websocket"](http, url).open()
    async with Load(3 * LIMIT_MS / 1000):
        async with asyncio.timeout(WAIT_S):
            while (await handshake(http, node, "polling"))[0] == 200:
                pass
        status, text = await handshake(http, node, "websocket")
        assert (status, "does not keep up" in text) == (503, True)
        await join(link, node)
    async with asyncio.timeout(WAIT_S):
        while (await handshake(http, node, "polling"))[0] != 200:
            pass


async def test_one_pause_is_no_lag() -> None:
    lag = Lag(LIMIT_MS / 1000)
    looking = asyncio.create_task(lag.forever())
    await asyncio.sleep(0)
    time.sleep(PROBE_S + 4 * LIMIT_MS / 1000)  # noqa: ASYNC251 - the pause
    for _ in range(10):  # turns of the loop, in which it looks
        await asyncio.sleep(0)
        assert not lag.behind
    async with Load(PROBE_S + 2 * LIMIT_MS / 1000), asyncio.timeout(WAIT_S):
        turns = 0
        while not lag.behind:
            turns += 1
            await asyncio.sleep(0)
    assert turns >= IN_A_ROW - 1
    looking.cancel()


def test_the_limit_of_open_files_is_raised_as_far_as_it_goes() -> None:
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, before[1]))
        assert open_files.limit() == 256
        open_files.raise_limit()
        raised = open_files.limit()
        assert raised is None or raised > 256
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
