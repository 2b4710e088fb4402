"""Who breaks the protocol loses her connection at once, and comes back; nobody else notices."""

import asyncio

import aiohttp
import pytest

from tests.clients import new_user
from tests.e2e.stock import Enter, Stock, every_stock_client
from tests.polling import Polling
from tests.raw_client import RawClient
from tests.servers import ServerProcess

pytestmark = pytest.mark.asyncio(loop_scope="module")

PROTOCOL_ERROR = 1002


@pytest.fixture
def server(shared_server: ServerProcess) -> ServerProcess:
    """Return a server of the module."""
    return shared_server


@every_stock_client
async def test_a_broken_packet_costs_its_sender_one_connection(enter: Enter, stock: Stock) -> None:
    """She comes back by herself, and her neighbour notices nothing."""
    alice, bob = await enter(new_user("alice"), reconnection=True), await enter(new_user("bob"))
    created = await bob.call("create_room", name="Tea", type="public")
    mark = len(alice.events)
    await alice.send_message('2/chat,["chat"')
    gone = await alice.event("@disconnect", after=mark)
    assert gone.get("code") == (PROTOCOL_ERROR if stock.final == "websocket" else None)
    await alice.event("@connect", after=mark)
    await alice.ready(after=mark)
    await alice.call("join_room", room_id=created["room"]["id"])
    await bob.say(created["room"]["id"], "still here")
    await alice.event("chat")
    assert bob.of("@disconnect") == []


BROKEN = {
    "no type": "",
    "not a type": "x",
    "an unknown type": "9",
    "a refusal": "4/chat,{}",
    "no event": "2/chat,",
    "cut JSON": '2/chat,1["chat",{"room_id":',
    "no JSON": "2/chat,1[chat]",
    "an object for a list": '2/chat,1{"chat":{}}',
    "a string for a list": '2/chat,1"chat"',
    "brackets without end": "2/chat,1" + "[" * 100_000,
    "a number without end": "2/chat," + "1" * 200 + "[]",
    "attachments without end": '52222222222-/chat,1["chat",{"_placeholder":true,"num":0}]',
}


@pytest.mark.parametrize("packet", BROKEN.values(), ids=BROKEN)
async def test_what_is_no_packet_ends_with_1002(server: ServerProcess, packet: str) -> None:
    """Every packet that breaks the protocol closes its connection, with that code."""
    async with aiohttp.ClientSession() as http:
        mallory = await RawClient(http).connect(server.url, server.token(new_user("mallory")))
        await mallory.send_message(packet)
        assert (await mallory.event("@disconnect"))["code"] == PROTOCOL_ERROR
        await mallory.close()
    assert not any(b"Traceback" in line for line in server.output)


@pytest.mark.parametrize("frame", ["", "x", "9", "-1", "packet"])
async def test_a_frame_of_no_known_type_ends_with_1002(server: ServerProcess, frame: str) -> None:
    """One layer down it is the same, and the server forgets its sender at once."""
    async with aiohttp.ClientSession() as http:
        name = new_user("mallory")
        mallory = await RawClient(http).connect(server.url, server.token(name))
        await mallory.send_frame(frame)
        assert (await mallory.event("@disconnect"))["code"] == PROTOCOL_ERROR
        await mallory.close()
    await server.prints(b"disconnected", name.encode())
    assert not any(b"Traceback" in line for line in server.output)


BODIES = {
    "a message of nothing": b"4",
    "no packet": b"x",
    "an unknown type": b"9",
    "no event": b"42/chat,{}",
    "one of two": b'42/chat,["rooms",{}]\x1ex',
    "no UTF-8": b"4\xff\xfe",
    "no base64": b"b!!!",
    "too much": b"4" + b"x" * 1_000_001,
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
async def test_a_body_that_is_no_packets_ends_with_400(server: ServerProcess, body: bytes) -> None:
    """Long polling has no close codes: the poll that waits, and what follows, is refused."""
    async with aiohttp.ClientSession() as http:
        mallory = await Polling(http, server.url).connect(server.token(new_user("mallory")))
        status, _ = await asyncio.gather(mallory.poll(), mallory.post(body))
        assert status == 400
        assert await mallory.poll() == 400
    assert not any(b"Traceback" in line for line in server.output)
