"""Long polling equals WebSocket, also where the way up is a slow one (promise 15).

A proxy cuts what clients say into the segments of the internet, and the server has read each one
before the next arrives. python-socketio's server takes the first segment for the whole body.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

import aiohttp
import pytest

from tests.clients import ChatClient, Client, Lost, new_client_id
from tests.conftest import Connect
from tests.e2e.stock import TRANSPORTS
from tests.node_client import Node, NodeClient
from tests.polling import Polling
from tests.proxies import Proxy
from tests.servers import ServerProcess

MOMENTS = ("upgrading", "upgrade", "connect")
BODY = 900_000
EACH_WAY = 200
SNAKE = "\U0001f40d"  # 4 bytes; 12 as Python's client writes it


@pytest.fixture
async def uplink(server: ServerProcess) -> AsyncIterator[Proxy]:
    """Return a network between clients and the server that cuts into segments."""
    async with Proxy.before(server.port) as network:
        network.cuts_into_segments = True
        yield network


@pytest.fixture(params=["python", pytest.param("javascript", marks=pytest.mark.node)])
async def alice(request: pytest.FixtureRequest) -> AsyncIterator[ChatClient]:
    """Return a client of each language."""
    if request.param == "python":
        client = Client()
        yield client
        await client.close()
        return
    process = await Node().start()
    yield NodeClient(process)
    await process.close()


@pytest.mark.parametrize("transport", ["polling", "websocket"])
async def test_what_is_said_in_a_tick_arrives_whole_and_in_order(
    server: ServerProcess, uplink: Proxy, connect: Connect, alice: ChatClient, transport: str
) -> None:
    """40 small events, then 900 KB at once; polling has each in one body."""
    size = 12 if isinstance(alice, Client) else 4
    bob = await connect("bob")
    room_id = (await bob.call("create_room", name="Tea", type="public"))["room"]["id"]
    await alice.connect(uplink.url, server.token("alice"), transports=TRANSPORTS[transport])
    await alice.ready()
    await alice.call("join_room", room_id=room_id)
    small = [f"{n} " + "\u00e9" * 500 for n in range(40)]
    large = [f"{n} " + SNAKE * 3_990 for n in range(BODY // (4_000 * size))]
    for texts in (small, large):
        acks = await alice.burst([_message(room_id, text) for text in texts])
        await _heard(bob, texts, _seqs(acks))
    await alice.close()


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
async def test_a_body_of_900_kilobytes_in_1400_byte_segments(
    server: ServerProcess, connect: Connect, chunked: bool
) -> None:
    """Every event in it is acked and heard, whether its length was told or not."""
    bob = await connect("bob")
    room_id = (await bob.call("create_room", name="Tea", type="public"))["room"]["id"]
    texts = [f"{n} " + SNAKE * 3_990 for n in range(BODY // 16_000)]
    async with aiohttp.ClientSession() as http:
        alice = await Polling(http, server.url).connect(server.token("alice"))
        await alice.post(f"42/chat,0{json.dumps(['join_room', {'room_id': room_id}])}".encode())
        await alice.ack(0)
        body = "\x1e".join(
            f"42/chat,{n}{json.dumps(_message(room_id, text), ensure_ascii=False)}"
            for n, text in enumerate(texts, 1)
        )
        assert await alice.post_slowly(body.encode(), chunked=chunked) == 200
        seqs = [(await alice.ack(n))["seq"] for n in range(1, len(texts) + 1)]
    await _heard(bob, texts, seqs)


@pytest.mark.node
async def test_an_upgrade_while_two_hundred_messages_flow_each_way(
    node: Node, server: ServerProcess, uplink: Proxy, connect: Connect
) -> None:
    """The stock JavaScript client changes its transport; nothing is lost, reordered or doubled."""
    bob = await connect("bob")
    created = await bob.call("create_room", name="Tea", type="group", members=["alice"])
    room_id = created["room"]["id"]
    alice = NodeClient(node)
    said = {
        moment: [f"alice {moment} {n}" for n in range(EACH_WAY // len(MOMENTS) + 1)]
        for moment in MOMENTS
    }
    replies = {
        moment: alice.at(moment, [_message(room_id, text) for text in texts])
        for moment, texts in said.items()
    }
    enough = asyncio.Event()

    async def talk() -> list[int]:
        seqs: list[int] = []
        while len(seqs) < EACH_WAY or not enough.is_set():
            seqs.append((await bob.say(room_id, f"bob {len(seqs)}"))["seq"])
        return seqs

    talking = asyncio.create_task(talk())
    await alice.connect(uplink.url, server.token("alice"), transports=["polling", "websocket"])
    assert (await alice.event("@upgrade"))["transport"] == "websocket"
    order = [name[1:] for name, _ in alice.events if name[1:] in MOMENTS]
    assert sorted(order) == sorted(MOMENTS)
    acks = await asyncio.gather(*(reply for moment in order for reply in replies[moment]))
    enough.set()
    seqs = await talking
    heard = [text for moment in order for text in said[moment]]
    await _heard(bob, heard, _seqs(acks), sender="alice")
    # The other way: what the catch-up brings, then what is live after it, without a gap.
    head = max(seqs[-1], _seqs(acks)[-1])
    (part,) = [synced["rooms"][room_id] for synced in await alice.ready()]
    cursor = int(part["upto"].partition(".")[2])
    if cursor < head:
        await alice.event("chat", lambda data: data["rev"] == head)
    came = [event for event in part["events"] if event["type"] == "chat"] + alice.of("chat")
    assert [event["rev"] for event in came] == list(range(created["sync"]["head"] + 1, head + 1))
    await alice.close()


async def _heard(
    listener: ChatClient, texts: Sequence[str], seqs: Sequence[int], sender: str = "alice"
) -> None:
    """Check that each text was heard, in order and once, under the place that its ack named."""
    await listener.event("chat", lambda data: data["seq"] == seqs[-1])
    hers = [data for data in listener.of("chat") if data["from"] == sender][-len(texts) :]
    assert [data["seq"] for data in hers] == list(seqs) == sorted(set(seqs))
    assert [data["content"]["text"] == text for data, text in zip(hers, texts, strict=True)] == (
        [True] * len(texts)
    )


def _seqs(acks: Sequence[dict[str, Any] | Lost]) -> list[int]:
    assert all(not isinstance(ack, Lost) and ack["ok"] for ack in acks)
    return [ack["data"]["seq"] for ack in acks if not isinstance(ack, Lost)]


def _message(room_id: str, text: str) -> tuple[str, dict[str, Any]]:
    content = {"text": text}
    return "chat", {"room_id": room_id, "client_id": new_client_id(), "content": content}
