"""One order for everybody, in which each sender's own order is kept (promise 3, on one node)."""

import asyncio
import random
from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.clients import ChatClient, Client
from tests.faults.room import Room
from tests.faults.writers import Writer
from tests.node_client import Node, NodeClient
from tests.raw_client import RawClient

EACH = 25


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    """Return a session for clients that outlive the test's body."""
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.mark.node
async def test_twenty_writers_are_seen_in_one_order_by_all(
    http: aiohttp.ClientSession, room: Room, node: Node, chance: random.Random
) -> None:
    """Clients of every kind, several messages of each at once: what all see is the history."""
    kinds: list[tuple[ChatClient, str]] = [
        *((Client(), by) for by in ("websocket", "websocket", "polling")),
        *((NodeClient(node), by) for by in ("websocket", "websocket", "polling", "polling")),
        *((RawClient(http), "websocket") for _ in range(13)),
    ]
    writers: list[Writer] = []
    for client, by in kinds:
        writers.append(await room.writer(client, [by], at_once=chance.randrange(1, EACH)))
        writers[-1].say(EACH)
    await asyncio.gather(*(writer.finish() for writer in writers))
    head = max(send.acks[0]["seq"] for send in room.record.sends)
    for client in room.clients:
        await client.event("chat", lambda data: data["seq"] == head)
    # The room's own row, 20 who joined, and what they said.
    assert await room.check() == head == 1 + len(writers) + len(writers) * EACH
    for client in room.clients:
        assert len(client.of("chat")) == len(writers) * EACH
