"""``parley serve`` on MongoDB, as stock clients see it; two nodes of one database."""

import asyncio
import shutil
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests import mongod
from tests.clients import Client, new_client_id
from tests.conftest import Connect
from tests.servers import ServerProcess

pytestmark = pytest.mark.mongo

Serve = Callable[[str], Awaitable[ServerProcess]]


@pytest.fixture
def settings() -> Iterator[dict[str, str]]:
    """Return what makes a server use a database of the test's own."""
    name = f"parley_e2e_{uuid.uuid4().hex}"
    yield {"MONGODB_URL": mongod.url(), "PARLEY_MONGODB_DATABASE": name}
    with mongod.client() as client:
        client.drop_database(name)


@pytest.fixture
async def serve(tmp_path: Path, settings: dict[str, str]) -> AsyncIterator[Serve]:
    """Return what starts a node by its name; all have the same keys, and nothing else in common."""
    nodes: list[ServerProcess] = []

    async def serve(name: str) -> ServerProcess:
        if nodes:
            shutil.copytree(nodes[0].data_dir, tmp_path / name)
        nodes.append(ServerProcess(tmp_path / name, env=settings))
        return await nodes[-1].start()

    yield serve
    for node in nodes:
        await node.stop()


@pytest.fixture
async def server(serve: Serve) -> ServerProcess:
    """Return one node; the shared fixture ``connect`` is of this one."""
    return await serve("n1")


async def visit(node: ServerProcess, user_id: str) -> Client:
    """Connect a user to a node and wait for her catch-up."""
    client = await Client().connect(node.url, node.token(user_id))
    await client.ready()
    return client


def texts(messages: list[dict[str, Any]]) -> list[str]:
    """Return what the messages say."""
    return [m["content"].get("text", "") for m in messages if m["type"] == "chat"]


async def test_a_conversation_is_kept(connect: Connect, server: ServerProcess) -> None:
    """Messages, an edit, a reaction, a deletion and read marks are there after a restart."""
    alice, bob = await connect("alice"), await connect("bob")
    room_id = (await alice.call("create_room", name="Tea", type="public"))["room"]["id"]
    await bob.call("join_room", room_id=room_id)
    one, two, three = [await alice.say(room_id, text) for text in ("one", "two", "three")]
    await bob.event("chat", lambda data: data["id"] == three["id"])
    content = {"text": "uno"}
    ids = {"message_id": one["id"], "client_id": new_client_id()}
    await alice.call("edit_message", **ids, content=content)
    ids = {"message_id": two["id"], "client_id": new_client_id()}
    await alice.call("delete_message", **ids)
    ids = {"message_id": three["id"], "client_id": new_client_id()}
    await bob.call("react", **ids, emoji="👍", on=True)
    await bob.call("read", room_id=room_id, seq=two["seq"])
    before = await alice.call("history", room_id=room_id)
    assert texts(before["messages"]) == ["uno", "", "three"]
    await server.kill()
    await server.start()
    bob = await connect("bob")
    assert await bob.call("history", room_id=room_id) == before
    (mine,) = (await bob.call("rooms"))["rooms"]
    assert (mine["unread"], mine["head"]) == (1, before["head"])
    assert not (server.data_dir / "parley.sqlite3").exists()


async def test_two_nodes_show_one_room(serve: Serve) -> None:
    """Without a bus each finds by its audit what the other stored: in order, and members too."""
    here, there = await serve("n1"), await serve("n2")
    alice, bob = await visit(here, "alice"), await visit(there, "bob")
    room_id = (await alice.call("create_room", name="Tea", type="public"))["room"]["id"]
    await bob.call("join_room", room_id=room_id)

    async def talk(client: Client, name: str) -> None:
        for n in range(20):
            await client.say(room_id, f"{name} {n}")

    await asyncio.gather(talk(alice, "alice"), talk(bob, "bob"))
    for client in (alice, bob):
        while len(client.of("chat")) < 40:
            await client.event("chat", after=len(client.events))
    assert alice.of("chat") == bob.of("chat")
    said = texts(alice.of("chat"))
    for name in ("alice", "bob"):
        assert [t for t in said if t.startswith(name)] == [f"{name} {n}" for n in range(20)]
    await alice.call("kick", room_id=room_id, user_id="bob", client_id=new_client_id())
    await bob.event("leave_room", lambda data: data["content"]["user_id"] == "bob")
    for client in (alice, bob):
        await client.close()


async def test_a_retry_at_the_other_node_is_the_same_request(serve: Serve) -> None:
    """It has no second effect, and another text under its number is refused there too."""
    here, there = await serve("n1"), await serve("n2")
    one, other = await visit(here, "alice"), await visit(there, "alice")
    room_id = (await one.call("create_room", name="Tea", type="public"))["room"]["id"]
    client_id = new_client_id()
    first = await one.say(room_id, "once", client_id)
    assert await other.say(room_id, "once", client_id) == {**first, "duplicate": True}
    for client in (one, other):
        await client.close()


async def test_an_inbox_is_one_on_two_nodes(serve: Serve) -> None:
    """What one node is asked to publish, the other shows; what is read on one is read on both."""
    here, there = await serve("n1"), await serve("n2")
    devices = [Client("/notification"), Client("/notification")]
    for device, node in zip(devices, (here, there), strict=True):
        await device.connect(node.url, node.token("alice"))
        await device.ready()
    token = here.token("root", roles=["admin"])
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": new_client_id()}
    body = {"title": "Tea", "body": "is ready", "user_ids": ["alice"]}
    async with aiohttp.ClientSession(headers=headers) as session:
        for node in (here, there):
            url = f"{node.url}/api/v1/notifications"
            async with session.post(url, json=body) as answer:
                assert (await answer.json())["done"] == 1
    for device in devices:
        told = await device.event("notification")
        assert (told["seq"], told["read"]) == (1, False)
    assert (await devices[1].call("read", all=True))["read"] == 1
    await devices[0].event("notification", lambda data: data["read"])
    for device in devices:
        assert await device.call("unread_count") == {"unread": 0}
        await device.close()


async def test_without_mongodb_the_start_is_one_sentence(tmp_path: Path) -> None:
    """It ends at once, with neither a traceback nor the password."""
    url = "mongodb://parley:canary-password@127.0.0.1:9/?replicaSet=rs0"
    node = ServerProcess(tmp_path / "data", env={"MONGODB_URL": url})
    with pytest.raises(RuntimeError) as failed:
        await node.start()
    assert "MongoDB does not answer" in str(failed.value)
    assert "Traceback" not in str(failed.value)
    assert "canary" not in str(failed.value)
    assert await node.ends() == 1
