"""A thousand clients at once: each connects, joins, says something and is acked."""

import asyncio
from typing import Any

import aiohttp
import pytest

from tests.clients import new_client_id
from tests.raw_client import RawClient
from tests.servers import ServerProcess

CLIENTS = 1_000
ROOMS = 25
AT_ONCE = 100  # handshakes under way


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_a_thousand_clients_are_each_acked(server: ServerProcess) -> None:
    """All are connected at the same time; every room holds what its members were acked for."""
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as http:
        host = await RawClient(http).connect(server.url, server.token("host"))
        rooms = [
            (await host.call("create_room", name=f"Room {n}", type="public"))["room"]["id"]
            for n in range(ROOMS)
        ]
        turnstile = asyncio.Semaphore(AT_ONCE)
        clients = [RawClient(http) for _ in range(CLIENTS)]

        async def arrive(number: int) -> dict[str, Any]:
            client, room_id = clients[number], rooms[number % ROOMS]
            async with turnstile:
                await client.connect(server.url, server.token(f"guest-{number}"))
                await client.call("join_room", room_id=room_id)
            ack: dict[str, Any] = await client.say(room_id, f"guest {number}", new_client_id())
            return {**ack, "room_id": room_id, "text": f"guest {number}"}

        receipts = await asyncio.gather(*(arrive(number) for number in range(CLIENTS)))
        assert not any(client.disconnected.is_set() for client in clients)
        said = {(r["room_id"], r["seq"]): (r["id"], r["text"]) for r in receipts}
        kept: dict[tuple[str, int], tuple[str, str]] = {}
        for room_id in rooms:
            page = await host.call("history", room_id=room_id, limit=200)
            assert not page["more"]
            for m in page["messages"]:
                if m["type"] == "chat":
                    kept[room_id, m["seq"]] = (m["id"], m["content"]["text"])
        assert kept == said
        assert len(kept) == CLIENTS
        await asyncio.gather(*(client.close() for client in [host, *clients]))
