"""Compressed WebSockets: for who asks for them, and only where the operator wants it."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from tests.clients import new_user
from tests.proxies import Proxy
from tests.raw_client import RawClient
from tests.servers import ServerProcess

pytestmark = pytest.mark.asyncio(loop_scope="function")

TEXT = "the same words " * 250


@pytest.fixture
async def compressing(tmp_path: Path) -> AsyncIterator[ServerProcess]:
    """Return a server that compresses."""
    process = ServerProcess(tmp_path / "data", {"PARLEY_COMPRESSION": "1"})
    yield await process.start()
    await process.stop()


async def test_who_asks_hears_the_same_in_fewer_bytes(compressing: ServerProcess) -> None:
    """A room of both kinds has the same words, both ways; on the wire they differ in length."""
    async with (
        aiohttp.ClientSession() as http,
        Proxy.before(compressing.port) as small,
        Proxy.before(compressing.port) as plain,
    ):
        alice, bob = RawClient(http, compress=15), RawClient(http)
        await alice.connect(small.url, compressing.token(new_user("alice")))
        await bob.connect(plain.url, compressing.token(new_user("bob")))
        room = await alice.call("create_room", name="Tea", type="public")
        await bob.call("join_room", room_id=room["room"]["id"])
        before = small.passed, plain.passed
        for sender in (alice, bob, alice):
            sent = await sender.say(room["room"]["id"], TEXT)
            for hearer in (alice, bob):
                assert await _hears(hearer, sent["id"]) == TEXT
        assert plain.passed - before[1] > 3 * len(TEXT)
        assert small.passed - before[0] < len(TEXT) // 2
        assert alice.compressed
        assert not bob.compressed
        await alice.close()
        await bob.close()


async def _hears(client: RawClient, id: str) -> str:
    heard = await client.event("chat", lambda data: data["id"] == id)
    text: str = heard["content"]["text"]
    return text


async def test_nobody_is_compressed_unless_the_operator_wants_it(server: ServerProcess) -> None:
    """A client that asks is answered without."""
    async with aiohttp.ClientSession() as http:
        alice = await RawClient(http, compress=15).connect(
            server.url, server.token(new_user("alice"))
        )
        assert not alice.compressed
        await alice.call("rooms")
        await alice.close()
