from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from parley.server.assembly import Node
from tests.clients import Client
from tests.server.http.conftest import Caller, Callers

Connect = Callable[[str], Awaitable[Client]]


@pytest.fixture
async def connect(node: Node) -> AsyncIterator[Connect]:
    clients: list[Client] = []

    async def connect(user_id: str) -> Client:
        token = node.mint.mint(user_id, ttl_s=600)
        client = await Client().connect(f"http://127.0.0.1:{node.port}", token)
        clients.append(client)
        await client.ready()
        return client

    yield connect
    for client in clients:
        await client.close()


async def test_who_is_online(admin: Caller, connect: Connect) -> None:
    assert await admin.data("GET", "/connections/online") == {"items": []}
    phone = await connect("bob")
    for user_id in ("carol", "alice", "bob"):
        await connect(user_id)
    assert await admin.walk("/connections/online", limit=2) == [["alice", "bob"], ["carol"]]
    await phone.close()
    assert (await admin.data("GET", "/connections/online"))["items"] == ["alice", "bob", "carol"]


async def test_who_left_is_offline(admin: Caller, connect: Connect) -> None:
    alice, _ = await connect("alice"), await connect("bob")
    await alice.close()
    assert (await admin.data("GET", "/connections/online"))["items"] == ["bob"]


async def test_who_is_live_in_a_room(admin: Caller, connect: Connect) -> None:
    alice = await connect("alice")
    made = await alice.call("create_room", name="Tea", type="public", members=["bob", "carol"])
    room_id = made["room"]["id"]
    path = f"/connections/rooms/{room_id}"
    assert (await admin.data("GET", path))["items"] == ["alice"]
    bob = await connect("bob")
    assert (await admin.data("GET", path))["items"] == ["alice", "bob"]
    await bob.call("leave_room", room_id=room_id)
    assert (await admin.data("GET", path))["items"] == ["alice"]
    assert (await admin("GET", f"/connections/rooms/{'0' * 24}")).status == 404
    await alice.call("delete_room", room_id=room_id, client_id="01HZX3W9A1")
    assert (await admin("GET", path)).status == 410


async def test_others_list_whom_they_may_see(
    node: Node, alice: Caller, caller: Callers, connect: Connect
) -> None:
    """People of their rooms who are online, in pages; of a room, if they are in it."""
    room_id = await alice.room(members=["bob", "carol", "dave"])
    for user_id in ("alice", "bob", "dave", "eve"):
        await connect(user_id)
    await node.presence.devices.settled()
    assert await alice.walk("/connections/online", limit=2) == [["alice", "bob"], ["dave"]]
    eve = caller("eve")
    assert await eve.walk("/connections/online") == [["eve"]]
    path = f"/connections/rooms/{room_id}"
    assert (await alice.data("GET", path))["items"] == ["alice", "bob", "dave"]
    assert (await caller("carol").data("GET", path))["items"] == ["alice", "bob", "dave"]
    assert (await eve("GET", path)).code == "forbidden"
    assert (await eve("GET", f"/connections/rooms/{'0' * 24}")).code == "not_found"
    assert (await eve("GET", "/connections/online?cursor=x")).pointers == ["/cursor"]


async def test_an_announcement_reaches_everyone_or_one_room(
    admin: Caller, connect: Connect
) -> None:
    alice, bob = await connect("alice"), await connect("bob")
    room_id = (await alice.call("create_room", name="Tea", type="public"))["room"]["id"]
    content = {"text": "The server restarts at noon", "metadata": {"level": 2}}
    path = "/connections/broadcast"
    assert await admin.data("POST", path, json={"content": content}) == {"sockets": 2}
    for client in (alice, bob):
        heard = await client.event("system", lambda data: data["code"] == "announcement")
        assert heard == {"code": "announcement", "content": content, "from": "root"}
    body = {"content": {"text": "Tea is over"}, "room_id": room_id}
    assert await admin.data("POST", path, json=body) == {"sockets": 1}
    await alice.event("system", lambda data: data.get("content") == body["content"])
    assert all(data.get("content") != body["content"] for _, data in bob.events)
    assert (await admin("POST", path, json={**body, "room_id": "0" * 24})).status == 404


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/content"),
        ({"content": {}}, "/content/text"),
        ({"content": {"text": ""}}, "/content/text"),
        ({"content": {"text": "x" * 4_001}}, "/content/text"),
        ({"content": {"text": "Hi", "title": "Hi"}}, "/content/title"),
        ({"content": {"text": "Hi"}, "room_id": "Tea"}, "/room_id"),
    ],
)
async def test_a_wrong_announcement_is_pointed_at(
    admin: Caller, body: dict[str, object], pointer: str
) -> None:
    answer = await admin("POST", "/connections/broadcast", json=body)
    assert (answer.status, answer.pointers) == (400, [pointer])


async def test_a_user_is_sent_away_and_may_come_back(admin: Caller, connect: Connect) -> None:
    sockets = [await connect("bob"), await connect("bob")]
    alice = await connect("alice")
    assert await admin.data("DELETE", "/connections/users/bob") == {"sockets": 2}
    for socket in sockets:
        assert (await socket.event("system", lambda data: data["code"] == "revoked")) is not None
        await socket.disconnected.wait()
    assert (await admin.data("GET", "/connections/online"))["items"] == ["alice"]
    assert not alice.disconnected.is_set()
    assert await admin.data("DELETE", "/connections/users/bob") == {"sockets": 0}
    await connect("bob")
    assert (await admin.data("GET", "/connections/online"))["items"] == ["alice", "bob"]


async def test_to_reach_everybody_is_for_administrators(caller: Callers) -> None:
    member = caller("alice", "moderator")
    for method, path in (
        ("POST", "/connections/broadcast"),
        ("DELETE", "/connections/users/bob"),
    ):
        answer = await member(method, path)
        assert (answer.status, answer.code) == (403, "forbidden")
