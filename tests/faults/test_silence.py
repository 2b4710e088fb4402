"""Silence is not free: who joins nothing is closed by the deadline (promise 8)."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from tests.faults.measures import open_files_of
from tests.polling import Polling
from tests.raw_client import RawClient
from tests.servers import ServerProcess

EACH = 25
GONE_S = 20.0
IDLE, PROTOCOL = 1001, 1002
REFUSALS = 10  # docs/protocol.md: "asked ten times for what you are refused"


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[ServerProcess]:
    """Return a server that waits a second for a namespace, and an hour for a pong."""
    env = {"PARLEY_CONNECT_TIMEOUT_MS": "1000", "PARLEY_PING_INTERVAL_MS": "3600000"}
    process = await ServerProcess(tmp_path / "data", env).start()
    yield process
    await process.kill()


async def test_fifty_that_never_join_are_closed_and_those_who_did_stay(
    server: ServerProcess,
) -> None:
    """Over either transport; of a WebSocket the TCP connection goes too."""
    connector = aiohttp.TCPConnector(limit=0, force_close=True)
    async with aiohttp.ClientSession(connector=connector) as http:
        joined = await RawClient(http).connect(server.url, server.token("ann"))
        polling = await Polling(http, server.url).connect(server.token("ben"))
        await joined.ready()
        await joined.call("rooms")
        files = open_files_of(server.pid)
        silent = [await RawClient(http).open(server.url) for _ in range(EACH)]
        absent = [Polling(http, server.url) for _ in range(EACH)]
        for client in absent:
            await client.open()
        codes = await asyncio.gather(*(client.event("@disconnect") for client in silent))
        assert codes == [{"code": IDLE}] * EACH
        # The polls that wait, and any later one.
        assert await asyncio.gather(*(client.poll() for client in absent)) == [400] * EACH
        assert await asyncio.gather(*(client.poll() for client in absent)) == [400] * EACH
        await joined.call("rooms")
        assert await polling.post(b'42/chat,1["rooms",{}]') == 200
        assert await polling.ack(1) == {"rooms": [], "waiting": []}
        assert not joined.disconnected.is_set()
        async with asyncio.timeout(GONE_S):
            while open_files_of(server.pid) > files:  # the last polls' are about to go
                await joined.call("rooms")
        await joined.close()


@pytest.mark.parametrize("packet", ['0/chat,{"token":"no"}', "0/nowhere,", "0"])
async def test_who_is_refused_again_and_again_is_closed(server: ServerProcess, packet: str) -> None:
    """Ten refusals, whatever was asked for, and then 1002."""
    async with aiohttp.ClientSession() as http:
        client = await RawClient(http).open(server.url)
        for _ in range(3 * REFUSALS):
            await client.send_message(packet)
        assert (await client.event("@disconnect"))["code"] == PROTOCOL
        assert len(client.of("@connect_error")) == REFUSALS
        await client.close()


async def test_who_leaves_its_last_namespace_is_closed_too(server: ServerProcess) -> None:
    """It may join again before that; then the deadline is over."""
    async with aiohttp.ClientSession() as http:
        away = await RawClient(http).connect(server.url, server.token("ann"))
        back = await RawClient(http).connect(server.url, server.token("ben"))
        for client in (away, back):
            await client.ready()
            await client.send_message("1/chat,")
        mark = len(back.events)
        await back.send_message("0/chat,{}")
        await back.ready(after=mark)
        assert (await away.event("@disconnect"))["code"] == IDLE
        await back.call("rooms")
        await away.close()
        await back.close()
