"""The id of a session is a polling client's password: who reads it may speak for her.

It goes to its client when the session opens, and nowhere else. It begins with the node's name, and
`server_id`, which everybody may know, does too; they have nothing else in common.
"""

import json
import re
from collections.abc import Sequence
from pathlib import Path

import aiohttp
import pytest

from tests.links import LINKS, NOOP, Closed, Link, Packet
from tests.servers import ServerProcess

AS_ADMIN = (
    *("/healthz", "/readyz", "/", "/api/v1/connections/online", "/api/v1/users/alice"),
    *("/api/v1/users/alice/presence", "/api/v1/openapi.json", "/api/v1/connections/rooms/x"),
)


@pytest.fixture
async def n1(tmp_path: Path) -> ServerProcess:
    """Return a server that has a name and logs all it can; the test ends it."""
    env = {"PARLEY_NODE": "n1", "PARLEY_LOG_LEVEL": "debug"}
    return await ServerProcess(tmp_path / "data", env).start()


async def test_nobody_is_told_the_id_of_a_session(n1: ServerProcess) -> None:
    """No log line at DEBUG, no answer over HTTP and no event has it, in whatever goes wrong."""
    said: list[str] = []
    async with aiohttp.ClientSession() as http:
        links = [await kind(http, f"{n1.url}/socket.io/").open() for kind in LINKS.values()]
        sids = [link.opened["sid"] for link in links]
        for link in links:
            said += await _talk(link, n1.token("alice", roles=["admin"]))
        headers = {"Authorization": f"Bearer {n1.token('alice', roles=['admin'])}"}
        for path in AS_ADMIN:
            async with http.get(n1.url + path, headers=headers) as response:
                said.append(await response.text())
        for link in links:
            said += await _break(link)
        for sid in sids:  # now of nobody
            for transport in ("polling", "websocket"):
                query = {"EIO": "4", "transport": transport, "sid": sid}
                async with http.get(f"{n1.url}/socket.io/", params=query) as response:
                    assert response.status == 400
                    said.append(await response.text())
    assert await n1.stop() == 0
    printed = b"".join(n1.output).decode()
    assert printed.count("connected") >= len(links)  # it did log them
    for sid in sids:
        secret = sid.removeprefix("n1.")
        assert secret not in printed
        assert not [text for text in said if secret in text]


async def test_the_server_is_another_one_after_a_restart(n1: ServerProcess) -> None:
    """Who finds the old one's lease knows that it is not its own, whatever its name."""
    told: list[str] = []
    for _ in range(2):
        async with aiohttp.ClientSession() as http:
            async with http.get(f"{n1.url}/healthz") as response:
                told.append((await response.json())["server_id"])
            link = await LINKS["websocket"](http, f"{n1.url}/socket.io/").open()
            heard = await _talk(link, n1.token("alice"))
            assert f'"server_id":"{told[-1]}"' in "".join(heard)
        await n1.stop()
        await n1.start()
    await n1.stop()
    assert all(re.fullmatch("n1-[0-9a-f]{8}", server_id) for server_id in told)
    assert len(set(told)) == 2


async def _talk(link: Link, token: str) -> Sequence[str]:
    """Join and say something; return what was heard."""
    await link.send("40/chat," + json.dumps({"token": token}))
    heard: list[Packet] = []
    while '"done":true' not in str(heard[-1:]):
        heard.append(await link.receive())
    await link.send('42/chat,1["create_room",{"name":"Tea","type":"public"}]', '42/chat,["no"]')
    while not any(str(packet).startswith("43/chat,1") for packet in heard):
        heard.append(await link.receive())
    return [str(packet) for packet in heard if packet != NOOP]


async def _break(link: Link) -> Sequence[str]:
    """Send what is no packet, and return what is heard until the end."""
    await link.send("4x")
    heard: list[str] = []
    try:
        while True:
            heard.append(str(await link.receive()))
    except Closed:
        return heard
