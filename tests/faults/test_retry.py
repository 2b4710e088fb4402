"""A retry has one effect, whoever retries and whatever was lost (promise 2)."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.clients import ChatClient, Client, Lost, Refused, new_client_id
from tests.conftest import Connect
from tests.faults.history import Record
from tests.faults.receipts import data_of, message, one_effect
from tests.faults.writers import whole_history
from tests.node_client import Node, NodeClient
from tests.proxies import Proxy
from tests.servers import ServerProcess

RETRIES = 1_000
AT_ONCE = 100


async def test_one_client_id_from_two_sockets_at_once_is_onemessage(connect: Connect) -> None:
    """1,000 times: one row each, the same ack for both, and one of the two says duplicate."""
    phone, laptop = await connect("alice"), await connect("alice")
    room_id = await _room(phone)
    await laptop.call("join_room", room_id=room_id)
    receipts: list[Any] = []
    for start in range(0, RETRIES, AT_ONCE):
        events = [message(room_id, str(n)) for n in range(start, start + AT_ONCE)]
        one, other = await asyncio.gather(phone.burst(events), laptop.burst(events))
        receipts += map(one_effect, zip(data_of(one), data_of(other), strict=True))
    kept = await whole_history(phone, room_id, Record())
    assert [m["content"]["text"] for m in kept[1:]] == [str(n) for n in range(RETRIES)]
    assert [m["id"] for m in kept[1:]] == [receipt["id"] for receipt in receipts]
    for client in (phone, laptop):  # a retry is announced again, and dropped by its position
        await client.event("chat", lambda data: data["seq"] == receipts[-1]["seq"])
        assert [data["id"] for data in client.of("chat")] == [m["id"] for m in kept[1:]]


async def test_one_client_id_of_two_senders_is_two_messages(connect: Connect) -> None:
    """Nobody can take another one's client_id."""
    alice, bob = await connect("alice"), await connect("bob")
    room_id = await _room(alice)
    await bob.call("join_room", room_id=room_id)
    client_id = new_client_id()
    receipts = await asyncio.gather(
        alice.say(room_id, "hers", client_id), bob.say(room_id, "his", client_id)
    )
    assert len({receipt["id"] for receipt in receipts}) == 2
    assert not any("duplicate" in receipt for receipt in receipts)


async def test_every_change_hasone_effect(connect: Connect) -> None:
    """The same edit, reaction, deletion, room and first private message from two sockets."""
    phone, laptop, bob = await connect("alice"), await connect("alice"), await connect("bob")
    room_id = await _room(phone)
    changes: list[tuple[str, dict[str, Any]]] = [
        ("edit_message", {"content": {"text": "edited"}}),
        ("react", {"emoji": "👍", "on": True}),
        ("delete_message", {}),
    ]
    for event, more in changes * 20:
        said = await phone.say(room_id, "first")
        change = {"message_id": said["id"], "client_id": new_client_id(), **more}
        one, other = await asyncio.gather(phone.call(event, **change), laptop.call(event, **change))
        assert one == other
        assert one["message"]["rev"] == said["rev"] + 1

    wanted = {"name": "Once", "type": "private", "client_id": new_client_id()}
    rooms = await asyncio.gather(*(c.call("create_room", **wanted) for c in (phone, laptop)))
    assert len({room["room"]["id"] for room in rooms}) == 1
    with pytest.raises(Refused, match="client_id_reused"):
        await phone.call("create_room", **{**wanted, "name": "Twice"})

    psst = {"to": "bob", "client_id": new_client_id(), "content": {"text": "psst"}}
    receipts = await asyncio.gather(*(c.call("private", **psst) for c in (phone, laptop)))
    one_effect(receipts)
    direct = await bob.call("history", room_id=receipts[0]["room_id"])
    assert [m["type"] for m in direct["messages"]] == ["join_room", "join_room", "private"]


@pytest.fixture(params=["python", pytest.param("javascript", marks=pytest.mark.node)])
async def anyone(request: pytest.FixtureRequest) -> AsyncIterator[ChatClient]:
    """Return a client of each language that comes back by itself."""
    if request.param == "python":
        client = Client(reconnection=True)
        yield client
        await client.close()
        return
    node = await Node().start()
    yield NodeClient(node)
    await node.close()


async def test_replies_that_a_network_swallows_are_asked_for_again(
    server: ServerProcess, connect: Connect, anyone: ChatClient
) -> None:
    """What was stored without her knowing is stored once, and the retry's ack is the first's."""
    bob = await connect("bob")
    room_id = await _room(bob)
    async with Proxy.before(server.port) as network:
        await anyone.connect(network.url, server.token("alice"))
        await anyone.ready()
        await anyone.call("join_room", room_id=room_id)
        events = [message(room_id, str(n)) for n in range(50)]
        network.muted = True
        unheard = asyncio.create_task(anyone.burst(events))
        await bob.event("chat", lambda data: data["content"]["text"] == "49")
        mark = len(anyone.events)
        network.cut()
        network.muted = False
        assert all(isinstance(ack, Lost) for ack in await unheard)
        await anyone.event("@connect", after=mark)
        again = data_of(await anyone.burst(events))
        await anyone.close()
    heard = bob.of("chat")
    assert [data["content"]["text"] for data in heard] == [str(n) for n in range(50)]
    assert again == [
        {
            "id": data["id"],
            "seq": data["seq"],
            "rev": data["rev"],
            "timestamp": data["timestamp"],
            "duplicate": True,
        }
        for data in heard
    ]
    kept = await whole_history(bob, room_id, Record())
    assert [m["id"] for m in kept if m["type"] == "chat"] == [data["id"] for data in heard]


async def _room(client: ChatClient) -> str:
    created = await client.call("create_room", name="Again", type="public")
    room_id: str = created["room"]["id"]
    return room_id
