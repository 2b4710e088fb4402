"""How a connection ends, as the stock clients take it (docs/protocol.md says what they should do).

Stock clients decide by the packet: after a lost transport they come back by themselves; after a
refusal, or a namespace that the server left, they never do.
"""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import pytest
import pytest_asyncio
from socketio.exceptions import ConnectionError as SocketIOError

from parley.namespaces.transport import Close
from parley.namespaces.wire import SystemCode
from parley.server.app import running
from parley.server.auth import TokenMint
from parley.server.engine.doors import SocketServer
from parley.server.keys import KeyRing
from parley.server.settings import Settings
from tests.clients import ChatClient, Client, new_user
from tests.e2e.stock import Enter, Stock, both_languages, every_stock_client
from tests.polling import Polling
from tests.servers import ServerProcess

pytestmark = pytest.mark.asyncio(loop_scope="module")

DRAINING = 1012
UNAVAILABLE = 1013
GONE_S = 10.0  # a server that was told to stop

NO_CURSOR = {"6b03dd85301631c3cf7f1956": "soon"}


@pytest.fixture
def server(shared_server: ServerProcess) -> ServerProcess:
    """Return a server that is running again when a test ends."""
    return shared_server


class Inside(NamedTuple):
    """A server in this process, and the one client that is connected to it."""

    sockets: SocketServer
    client: ChatClient
    eio_sid: str  # of the client's connection


@pytest_asyncio.fixture(loop_scope="module")
async def inside(
    new_client: Callable[..., ChatClient], stock: Stock, tmp_path: Path
) -> AsyncIterator[Inside]:
    """Return a server whose end of a connection a test may hold, with the client of the test."""
    async with running(Settings(port=0, data_dir=tmp_path)) as here:
        client = new_client(reconnection=True)
        token = here.mint.mint("alice", name=None, ttl_s=60)
        url = f"http://127.0.0.1:{here.port}"
        await client.connect(url, token, transports=stock.transports)
        await client.ready()
        if stock == Stock("javascript", "upgrade"):
            await client.event("@upgrade")
        (eio_sid,) = here.sockets.eio.sockets
        yield Inside(here.sockets, client, eio_sid)
        await client.close()


# Come back


@every_stock_client
async def test_a_restart_brings_everybody_back(
    enter: Enter, server: ServerProcess, stock: Stock
) -> None:
    """SIGTERM ends connections so that clients come back, and they have what was acked."""
    name = new_user("alice")
    alice = await enter(name, reconnection=True)
    created = await alice.call("create_room", name="Tea", type="public")
    room_id = created["room"]["id"]
    alice.identify(server.token(name), since={room_id: created["sync"]["upto"]})
    receipts = [await alice.say(room_id, str(n)) for n in range(5)]
    mark = len(alice.events)
    started = time.monotonic()
    assert await server.stop() == 0
    assert time.monotonic() - started < GONE_S
    gone = await alice.event("@disconnect", after=mark)
    assert gone.get("code") == (DRAINING if stock.final == "websocket" else None)
    if stock == Stock("javascript", "websocket"):
        assert (gone["reason"], gone["text"]) == ("transport close", "draining")
    await server.start()
    await alice.event("@connect", after=mark)
    (synced,) = await alice.ready(after=mark)
    part = synced["rooms"][room_id]
    assert [event["id"] for event in part["events"]] == [receipt["id"] for receipt in receipts]
    after = await alice.say(room_id, "back")
    assert (await alice.event("chat", after=mark))["id"] == after["id"]


@both_languages
async def test_storage_that_is_away_brings_them_back_when_it_is_there(
    new_client: Callable[..., ChatClient], server: ServerProcess, stock: Stock
) -> None:
    """Who connects while memberships cannot be read is sent away with 1013, and comes back."""
    client = new_client(reconnection=True)
    with sqlite3.connect(server.data_dir / "parley.sqlite3") as storage:
        storage.execute("ALTER TABLE members RENAME TO away")
        storage.commit()
        token = server.token(new_user("alice"))
        await client.connect(server.url, token, transports=stock.transports)
        gone = await client.event("@disconnect")
        storage.execute("ALTER TABLE away RENAME TO members")
    storage.close()
    assert gone["code"] == UNAVAILABLE
    (synced,) = await client.ready()
    assert synced == {"rooms": {}, "done": True}


async def test_a_waiting_poll_of_a_stopping_server_ends_with_400(server: ServerProcess) -> None:
    """400 is what stock clients take for a lost session; a CLOSE packet would end them."""
    async with aiohttp.ClientSession() as http:
        client = await Polling(http, server.url).connect(server.token(new_user("alice")))
        stopping = asyncio.create_task(server.stop())
        while (status := await client.poll()) == 200:
            pass
        assert status == 400
        assert [notice["code"] for notice in client.events("system")] == ["connected", "draining"]
        assert await stopping == 0
    await server.start()


@every_stock_client
async def test_who_was_too_slow_comes_back(inside: Inside, stock: Stock) -> None:
    """Who did not keep up is sent away so that she comes back by herself, and catches up."""
    sockets, client, eio_sid = inside
    code, reason = Close.SLOW.value
    mark = len(client.events)
    sockets.close(eio_sid, Close.SLOW)
    gone = await client.event("@disconnect", after=mark)
    assert gone.get("code") == (code if stock.final == "websocket" else None)
    if stock == Stock("javascript", "websocket"):
        assert (gone["reason"], gone["text"]) == ("transport close", reason)
    await client.event("@connect", after=mark)
    await client.ready(after=mark)
    assert list(sockets.eio.sockets) != [eio_sid]


# Stay away


@every_stock_client
async def test_who_is_expelled_is_told_why_and_stays_away(inside: Inside) -> None:
    """The reason comes first, then the end that stock clients take for one."""
    sockets, client, eio_sid = inside
    mark = len(client.events)
    await sockets.expel(eio_sid, SystemCode.REVOKED)
    gone = await client.event("@disconnect")
    assert [name for name, _ in client.events[mark:]] == ["system", "@disconnect"]
    assert client.events[mark][1] == {"code": "revoked"}
    assert gone["reason"] in ("io server disconnect", "server disconnect")
    await _stays_away(client)


# Be refused


def _expired(server: ServerProcess) -> str:
    return server.token("alice", ttl_s=-1)


def _forged(server: ServerProcess) -> str:
    """Return a token that another server signed under the same key id."""
    key = KeyRing.load(Settings(data_dir=server.data_dir))
    other = KeyRing.load(Settings(data_dir=server.data_dir / "other"))
    token = TokenMint(other).mint("alice", name=None, ttl_s=60)
    honest = TokenMint(key).mint("alice", name=None, ttl_s=60)
    return ".".join([honest.split(".")[0], *token.split(".")[1:]])


REFUSALS: Mapping[str, tuple[Callable[[ServerProcess], str | None], Any, str]] = {
    "no token": (lambda _: None, None, "unauthorized"),
    "expired": (_expired, None, "unauthorized"),
    "forged": (_forged, None, "unauthorized"),
    "not a token": (lambda _: "hello", None, "unauthorized"),
    "no cursor": (lambda server: server.token("alice"), NO_CURSOR, "invalid"),
    "no cursors": (lambda server: server.token("alice"), 5, "invalid"),
}


@both_languages
@pytest.mark.parametrize(("token", "since", "code"), REFUSALS.values(), ids=REFUSALS)
async def test_a_refusal_says_why_and_is_final(
    new_client: Callable[..., ChatClient],
    server: ServerProcess,
    token: Callable[[ServerProcess], str | None],
    since: Any,
    code: str,
) -> None:
    """CONNECT_ERROR carries message and code, and the client does not try again by itself."""
    client = new_client(reconnection=True)
    with pytest.raises((SocketIOError, ConnectionRefusedError)):
        await client.connect(server.url, token(server), since=since)
    (refusal,) = client.of("@connect_error")
    assert refusal["data"]["code"] == code
    assert refusal["message"]
    assert "retry_after_ms" not in refusal["data"]
    assert client.of("@connect") == []
    await _stays_away(client)
    await client.close()


async def _stays_away(client: ChatClient) -> None:
    """Check that the client's library does not mean to come back by itself."""
    if isinstance(client, Client):
        assert client.io._reconnect_task is None
    else:
        (_, last) = client.events[-1]
        assert last["active"] is False
