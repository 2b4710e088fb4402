"""Chat is the same over every transport of every stock client (promise 15)."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import aiohttp
import pytest

from tests.clients import ChatClient, Lost, new_client_id, new_user
from tests.e2e.stock import Enter, Stock, every_stock_client
from tests.node_client import Node, NodeClient
from tests.polling import Polling
from tests.proxies import Proxy
from tests.servers import ServerProcess

pytestmark = pytest.mark.asyncio(loop_scope="module")

MOMENTS = ("upgrading", "upgrade", "connect")

UNICODE = [
    "naïve – Zoë",
    "日本語、한국어、ไทย",
    "مرحبا שלום",  # right to left
    "👩‍👩‍👧‍👦 🏳️‍🌈 🇺🇳",  # several code points each
    "\U0001d54f \U0010ffff",  # beyond the first plane
    "e\u0301 and é",  # not the same, and not to be made so
    "\u2028\u2029\ufeff\u200b",
    "\x1e\x01\x7f",  # U+001E separates packets in a polling body
    'quote " backslash \\ \\n newline \n tab \t',
    '42/chat,["chat",{}]',
    "x" * 4_000,
    "\U0001f600" * 4_000,  # the longest text there is: 16,000 bytes
]


@pytest.fixture
def server(shared_server: ServerProcess) -> ServerProcess:
    return shared_server


@every_stock_client
async def test_a_conversation(enter: Enter, stock: Stock) -> None:
    """Create, join, say, hear, type, edit, react, read, delete and leave, seen from both sides."""
    alice, bob = await enter(a := new_user("alice")), await enter(b := new_user("bob"))
    room_id = await _room(alice)
    await bob.call("join_room", room_id=room_id)
    receipt = await alice.say(room_id, "hello")
    heard = await bob.event("chat")
    assert heard == await alice.event("chat")
    assert (heard["id"], heard["from"]) == (receipt["id"], a)

    await bob.call("typing", room_id=room_id, typing=True)
    assert (await alice.event("typing"))["user_id"] == b
    content = {"text": "hello, all"}
    await alice.call("edit_message", **_about(receipt), content=content)
    edited = await bob.event("chat", lambda data: data["rev"] > data["seq"])
    assert edited["content"]["text"] == "hello, all"
    await bob.call("react", **_about(receipt), emoji="👍", on=True)
    reacted = await alice.event("chat", lambda data: "reactions" in data)
    assert reacted["reactions"] == [{"emoji": "👍", "count": 1, "users": [b]}]

    read = await bob.call("read", room_id=room_id, seq=receipt["seq"])
    assert read == {"read_seq": receipt["seq"], "unread": 0}
    mark = {"room_id": room_id, "user_id": b, "read_seq": receipt["seq"]}
    assert await alice.event("read") == mark
    await alice.call("delete_message", **_about(receipt))
    assert (await bob.event("chat", lambda data: data.get("deleted")))["content"] == {}
    await bob.call("leave_room", room_id=room_id)
    left = await alice.event("leave_room")
    assert left["content"] == {"user_id": b, "reason": "left"}
    revs = [data["rev"] for name, data in alice.events if name in ("chat", "leave_room")]
    assert revs == list(range(receipt["rev"], receipt["rev"] + 5))
    assert await _transport(alice) == await _transport(bob) == stock.final


@every_stock_client
async def test_coming_back_brings_exactly_what_was_missed(
    enter: Enter, server: ServerProcess
) -> None:
    """A client whose network was away resumes by itself, and from there it hears live events."""
    alice = await enter(new_user("alice"))
    room_id = await _room(alice)
    before = [await alice.say(room_id, str(n)) for n in range(3)]
    async with Proxy.before(server.port) as network:
        name = new_user("bob")
        bob = await enter(name, url=network.url, reconnection=True)
        sync = (await bob.call("join_room", room_id=room_id))["sync"]
        bob.identify(server.token(name), since={room_id: sync["upto"]})
        network.down()
        await bob.disconnected.wait()
        missed = [await alice.say(room_id, f"missed {n}") for n in range(30)]
        await alice.call("edit_message", **_about(before[0]), content={"text": "edited"})
        mark = len(bob.events)
        network.up()
        (part,) = [data["rooms"][room_id] for data in await bob.ready(after=mark)]
        assert (part["state"], part["more"]) == ("ok", False)
        assert _ids(part["events"]) == [receipt["id"] for receipt in [*missed, before[0]]]
        assert part["events"][-1]["content"]["text"] == "edited"
        after = await alice.say(room_id, "live")
        live = await bob.event("chat", lambda data: data["id"] == after["id"], after=mark)
        assert live["rev"] == part["head"] + 1
        assert _ids(bob.of("chat")) == [after["id"]]
        await bob.close()


@every_stock_client
async def test_a_burst_of_one_tick_is_acked_whole_and_in_order(enter: Enter) -> None:
    """40 events sent at once have 40 acks, in the order they were sent."""
    alice, bob = await enter(new_user("alice")), await enter(new_user("bob"))
    room_id = await _room(alice)
    await bob.call("join_room", room_id=room_id)
    acks = await alice.burst([_message(room_id, str(n)) for n in range(40)])
    await _all_heard(bob, [str(n) for n in range(40)], acks)


@every_stock_client
async def test_large_bodies_arrive_whole(enter: Enter, stock: Stock) -> None:
    """Nothing is cut from messages of many bytes a character, nor from an event of 60 KB."""
    alice, bob = await enter(new_user("alice")), await enter(new_user("bob"))
    room_id = await _room(alice)
    await bob.call("join_room", room_id=room_id)
    texts = [f"{n}" + "\U0001f40d" * 3_999 for n in range(6)]  # polling has them in one body
    acks = await alice.burst([_message(room_id, text) for text in texts])
    await _all_heard(bob, texts, acks)
    # Larger than any message may be, so what answers is the check of the text's length.
    snakes = 60_000 // (4 if stock.language == "javascript" else 12)  # Python writes \\ud83d\\udc0d
    ack = await alice.ack(*_message(room_id, "\U0001f40d" * snakes))
    assert [error["pointer"] for error in ack["error"]["details"]["errors"]] == ["/content/text"]


@every_stock_client
async def test_every_character_survives(enter: Enter) -> None:
    """What is said is what is heard, synced and kept, code point for code point."""
    alice, bob = await enter(new_user("alice")), await enter(name := new_user("bob"))
    room_id = await _room(alice)
    cursor = (await bob.call("join_room", room_id=room_id))["sync"]["upto"]
    acks = await alice.burst([_message(room_id, text) for text in UNICODE])
    await _all_heard(bob, UNICODE, acks)
    kept = await bob.call("history", room_id=room_id, after=_seqs(acks)[0] - 1)
    assert [message["content"]["text"] for message in kept["messages"]] == UNICODE
    again = await enter(name, since={room_id: cursor})
    (synced,) = again.of("sync")
    assert _ids(synced["rooms"][room_id]["events"]) == _ids(kept["messages"])


@pytest.mark.node
async def test_an_upgrade_in_the_middle_of_a_burst_loses_nothing(
    node: Node, server: ServerProcess
) -> None:
    """Events that leave before, during and after the change of transport keep their order."""
    talker = new_user("alice")
    bob = await NodeClient(node).connect(server.url, server.token(new_user("bob")))
    await bob.ready()
    created = await bob.call("create_room", name="Tea", type="group", members=[talker])
    room_id = created["room"]["id"]
    alice = NodeClient(node)
    said = {moment: [f"{moment} {n}" for n in range(25)] for moment in MOMENTS}
    replies = {
        moment: alice.at(moment, [_message(room_id, text) for text in texts])
        for moment, texts in said.items()
    }
    told = [asyncio.ensure_future(bob.say(room_id, f"to alice {n}")) for n in range(50)]
    await alice.connect(server.url, server.token(talker), transports=["polling", "websocket"])
    told += [asyncio.ensure_future(bob.say(room_id, f"to alice {n}")) for n in range(50, 100)]
    assert (await alice.event("@upgrade"))["transport"] == "websocket"
    # The CONNECT answer may come before the upgrade, while it goes on, or after it.
    order = [name[1:] for name, _ in alice.events if name[1:] in MOMENTS]
    acks = await asyncio.gather(*(reply for moment in order for reply in replies[moment]))
    receipts = await asyncio.gather(*told)
    texts = [text for moment in order for text in said[moment]]
    await _all_heard(bob, texts, acks, sender=talker)
    # The other way: what the catch-up brings, then what is live after it, without a gap.
    head = max(_seqs(acks)[-1], receipts[-1]["seq"])
    (part,) = [synced["rooms"][room_id] for synced in await alice.ready()]
    cursor = int(part["upto"].partition(".")[2])
    if cursor < head:
        await alice.event("chat", lambda data: data["rev"] == head)
    live = [event for event in alice.of("chat") if event["rev"] > cursor]
    came = [event["rev"] for event in [*part["events"], *live]]
    assert came == list(range(head - 174, head + 1))
    await alice.close()
    await bob.close()


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
async def test_a_body_in_many_segments_arrives_whole(server: ServerProcess, chunked: bool) -> None:
    """A POST that reaches the server 1,400 bytes at a time is read to its end."""
    async with aiohttp.ClientSession() as http:
        client = await Polling(http, server.url).connect(server.token(new_user("alice")))
        await client.post(b'42/chat,0["create_room",{"name":"Tea","type":"public"}]')
        room_id = (await client.ack(0))["room"]["id"]
        packets = [
            f"42/chat,{n}{json.dumps(_message(room_id, f'{n}' + 'é' * 3_000), ensure_ascii=False)}"
            for n in range(1, 6)
        ]
        assert await client.post_slowly("\x1e".join(packets).encode(), chunked=chunked) == 200
        seqs = [(await client.ack(n))["seq"] for n in range(1, 6)]
        assert seqs == list(range(seqs[0], seqs[0] + 5))
        asked = {"room_id": room_id, "after": seqs[0] - 1}
        await client.post(f"42/chat,9{json.dumps(['history', asked])}".encode())
        kept = (await client.ack(9))["messages"]
        assert [m["content"]["text"] for m in kept] == [f"{n}" + "é" * 3_000 for n in range(1, 6)]


async def _room(client: ChatClient) -> str:
    created = await client.call("create_room", name="Tea", type="public")
    room_id: str = created["room"]["id"]
    return room_id


async def _transport(client: ChatClient) -> str:
    changed = client.of("@upgrade") or client.of("@connect")
    transport: str = changed[-1]["transport"]
    return transport


async def _all_heard(
    listener: ChatClient,
    texts: Sequence[str],
    acks: Sequence[dict[str, Any] | Lost],
    *,
    sender: str | None = None,
) -> None:
    """Check that each text was acked, in order, and heard under the place that its ack named."""
    seqs = _seqs(acks)
    assert seqs == sorted(seqs)
    assert len(seqs) == len(texts)
    await listener.event("chat", lambda data: data["seq"] == seqs[-1])
    heard = [data for data in listener.of("chat") if sender in (None, data["from"])]
    assert [data["seq"] for data in heard] == seqs
    assert [data["content"]["text"] for data in heard] == list(texts)


@pytest.mark.parametrize("frames", [[], ["x"], ["2probe"]], ids=["none", "garbage", "probe"])
async def test_an_upgrade_that_is_lost_leaves_polling_alone(
    server: ServerProcess, frames: list[str]
) -> None:
    """A WebSocket that opens and is gone costs nothing; the polls go on bringing everything."""
    async with aiohttp.ClientSession() as http:
        client = await Polling(http, server.url).connect(server.token(new_user("alice")))
        await client.begin_upgrade(*frames)
        assert await client.post(b'42/chat,7["rooms",{}]') == 200
        assert await client.ack(7) == {"rooms": [], "waiting": []}


def _seqs(acks: Sequence[dict[str, Any] | Lost]) -> list[int]:
    assert all(not isinstance(ack, Lost) and ack["ok"] for ack in acks), acks
    return [ack["data"]["seq"] for ack in acks if not isinstance(ack, Lost)]


def _message(room_id: str, text: str) -> tuple[str, dict[str, Any]]:
    content = {"text": text}
    return "chat", {"room_id": room_id, "client_id": new_client_id(), "content": content}


def _about(receipt: dict[str, Any]) -> dict[str, str]:
    return {"message_id": receipt["id"], "client_id": new_client_id()}


def _ids(messages: Sequence[dict[str, Any]]) -> list[str]:
    return [message["id"] for message in messages]
