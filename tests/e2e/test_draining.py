"""A server that is told to stop says so: to balancers, then to clients (promise 21)."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from parley.namespaces.transport import Close
from parley.server.app import running
from parley.server.settings import Settings
from tests.clients import new_user
from tests.links import LINKS, Closed, Link
from tests.programs import Program
from tests.raw_client import RawClient
from tests.servers import ServerProcess

GONE_S = 10.0
NODE_FOLDER = Path(__file__).parent / "node"
NAMESPACES = ("/chat", "/presence", "/notification")
RETRY_MS = 3_000  # longer than a stock client ever waits before its first try
TIMER_MS = 1.0  # by which Node.js may be early


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[ServerProcess]:
    """Return a server that gives balancers time."""
    process = await ServerProcess(tmp_path / "data", {"PARLEY_DRAIN_MS": "2000"}).start()
    yield process
    await process.stop()


@pytest.mark.parametrize("kind", LINKS)
async def test_balancers_see_it_while_clients_go_on(server: ServerProcess, kind: str) -> None:
    """Nobody new is let in; then those who are here are told, in every namespace; then 1012.

    Each request comes over a connection of its own, as through many a proxy.
    """
    connector = aiohttp.TCPConnector(force_close=True)
    async with aiohttp.ClientSession(connector=connector) as http:
        link = await LINKS[kind](http, f"{server.url}/socket.io/").open()
        await _join(link, server.token("ann"))
        started = time.monotonic()
        stopping = asyncio.create_task(server.stop())
        await _is_not_ready(http, server.url)
        await _lets_nobody_in(http, server.url)
        async with http.get(f"{server.url}/api/v1/users/ann", headers=_bearer(server)) as asked:
            assert asked.status == 200
        await link.send('42/chat,7["rooms"]')
        heard = [await link.receive()]
        while not str(heard[-1]).startswith('43/chat,7[{"ok":true'):
            heard.append(await link.receive())
        assert not [packet for packet in heard if "draining" in str(packet)]
        code, last = await _last_words(link)
    assert code == (None if kind == "polling" else Close.DRAINING.value[0])
    told = {name: notice for name, notice in last if notice.get("code") == "draining"}
    assert set(told) == set(NAMESPACES)
    (retry_ms,) = {notice["retry_after_ms"] for notice in told.values()}  # they come back together
    assert 500 <= retry_ms <= 5_000
    assert await stopping == 0
    assert time.monotonic() - started < GONE_S


async def _join(link: Link, token: str) -> None:
    """Join every namespace, and take what comes until they are through with it."""
    for namespace in NAMESPACES:
        await link.send(f'40{namespace},{{"token":"{token}"}}')
    done = {"42/chat": '"done":true', "42/notification": '"done":true', "42/presence": '"status"'}
    while done:
        packet = str(await link.receive())
        start = packet.partition(",")[0]
        if done.get(start, "\0") in packet:
            del done[start]


async def _is_not_ready(http: aiohttp.ClientSession, url: str) -> None:
    async with asyncio.timeout(GONE_S):
        while True:
            async with http.get(f"{url}/readyz") as response:
                if response.status == 503:
                    assert (await response.json())["status"] == "draining"
                    return


async def _lets_nobody_in(http: aiohttp.ClientSession, url: str) -> None:
    for transport in ("polling", "websocket"):
        query = {"EIO": "4", "transport": transport}
        async with http.get(f"{url}/socket.io/", params=query) as response:
            assert response.status == 503
            assert 1 <= int(response.headers["Retry-After"]) <= 5
            assert "stopped" in (await response.json())["message"]
    async with http.get(f"{url}/healthz") as response:
        assert response.status == 200


def _bearer(server: ServerProcess) -> dict[str, str]:
    return {"Authorization": f"Bearer {server.token('ann')}"}


async def _last_words(link: Link) -> tuple[int | None, list[tuple[str, dict[str, Any]]]]:
    """Return the code of the end, and the `system` events before it with their namespaces.

    Who polls again on a busy machine may find the server gone, and has heard all the same.
    """
    heard: list[tuple[str, dict[str, Any]]] = []
    try:
        while True:
            name, _, event = str(await link.receive()).removeprefix("42").partition(",")
            if event.startswith('["system",'):
                heard.append((name, json.loads(event)[1]))
    except Closed as closed:
        return closed.code, heard
    except aiohttp.ClientConnectorError:
        return None, heard


async def test_not_all_are_asked_to_come_back_at_once(tmp_path: Path) -> None:
    """Each of many clients is told another time."""
    told: list[int] = []
    async with aiohttp.ClientSession() as http:
        async with running(Settings(port=0, data_dir=tmp_path)) as here:
            url = f"http://127.0.0.1:{here.port}"
            clients = [RawClient(http) for _ in range(40)]
            for client in clients:
                await client.connect(url, here.mint.mint(new_user("ann"), name=None, ttl_s=60))
        for client in clients:
            notice = await client.event("system", lambda data: data["code"] == "draining")
            told.append(notice["retry_after_ms"])
            await client.close()
    assert len(set(told)) > 20
    assert all(500 <= retry_ms <= 5_000 for retry_ms in told)


@pytest.mark.node
async def test_the_client_module_comes_back_when_it_was_asked_to(tmp_path: Path) -> None:
    """It waits as long as the server said, and then in its own pace again."""
    async with running(Settings(port=0, data_dir=tmp_path)) as here:
        token = here.mint.mint("ann", name=None, ttl_s=60)
        command = ["node", "connection.mjs", f"http://127.0.0.1:{here.port}", token]
        async with Program.running(command, cwd=NODE_FOLDER) as page:
            await page.prints('"done":true')
            here.sockets.announce_end(lambda: RETRY_MS)
            await here.sockets.flushed()
            await page.prints('"draining"')
            (eio_sid,) = here.sockets.eio.sockets
            here.sockets.close(eio_sid, Close.DRAINING)
            assert await _waited_ms(page) >= RETRY_MS - TIMER_MS
            (eio_sid,) = here.sockets.eio.sockets
            mark = len(page.lines)
            here.sockets.close(eio_sid, Close.SLOW)
            assert await _waited_ms(page, after=mark) < RETRY_MS


async def _waited_ms(page: Program, *, after: int = 0) -> float:
    """Wait until it has come back; return after how many milliseconds it tried."""
    down = json.loads(await page.prints('"down"', after=after))["at"]
    again = json.loads(await page.prints('"again"', after=after))["at"]
    mark = next(n for n, line in enumerate(page.lines) if n >= after and '"again"' in line)
    await page.prints('"up"', after=mark)
    await page.prints('"done":true', after=mark)
    waited: float = again - down
    return waited
