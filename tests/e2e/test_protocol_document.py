"""A running server really says all that ``docs/protocol.md`` describes.

That it says nothing else is seen to everywhere: `tests.shapes` holds what any client hears to the
shapes that the document is compared with. Here every field of them has to come at least once.
"""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import aiohttp
import pytest

from parley.storage.models import MessageType
from tests.clients import Client, new_client_id
from tests.conftest import Connect
from tests.namespaces.schema_words import name_of
from tests.protocol_document import read
from tests.servers import ServerProcess
from tests.shapes import ACKS, ERROR, EVENTS, MESSAGE, fields_in, fields_of_all

NOTICES = read()["Events the server sends"]
NOWHERE = "0" * 24

NOT_SEEN = {
    "error.retry_after_ms",
    "system.retry_after_ms",  # at the end of a server
    *("message.prev", "skip.prev"),  # only after a lost hint
}


class Told:
    """Everything a server said."""

    def __init__(self) -> None:
        self.events: set[str] = set()
        self.fields: set[str] = set()

    async def call(self, client: Client, event: str, **payload: Any) -> Any:
        """Send one event and return the data of its ack."""
        data = await client.call(event, **payload)
        self.fields.update(fields_in(ACKS[event], data))
        return data

    def take(self, event: str, payload: Mapping[str, Any]) -> None:
        """Take an event of the server."""
        self.events.add(event)
        schema = MESSAGE if payload.get("type") == event else EVENTS[event]
        self.fields.update(fields_in(schema, payload))

    def unseen(self) -> set[str]:
        """Return the described fields that were never there."""
        described = {*fields_of_all(MESSAGE), *fields_of_all(ERROR)}
        for schema in (*ACKS.values(), *EVENTS.values()):
            described |= {*fields_of_all(schema)}
        # Rows are looked at together, as messages.
        rows = tuple(f"{name_of(EVENTS[name])}." for name in MessageType)
        return {name for name in described if not name.startswith(rows)} - self.fields


@pytest.fixture
async def admin(server: ServerProcess) -> AsyncIterator[aiohttp.ClientSession]:
    """Return who speaks to the API with a token of an administrator."""
    token = server.token("root", roles=["admin"])
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(f"{server.url}/api/v1/", headers=headers) as session:
        yield session


async def test_every_described_field_is_there(
    connect: Connect, server: ServerProcess, admin: aiohttp.ClientSession
) -> None:
    told = Told()
    alice, bob = await connect("alice"), await connect("bob")
    named = await Client().connect(server.url, server.token("carol", name="Carol"))
    carol, erin = named, await connect("erin")
    room_id = await _room(told, alice, bob)
    await _talk(told, alice, bob, room_id)
    await _read(told, bob, carol, room_id)
    await _come_and_go(told, alice, bob, carol, room_id)
    await _look_around(told, alice, bob, erin, room_id)
    await _change_the_room(told, alice, bob, room_id)
    await _speak_as_admin(admin, erin, bob)
    for client in (alice, bob, carol, erin):
        for event, payload in client.events:
            if not event.startswith("@"):
                told.take(event, payload)
        if client is not erin:
            await client.close()
    assert told.events == set(NOTICES) - {""}
    assert told.unseen() == NOT_SEEN


async def _room(told: Told, alice: Client, bob: Client) -> str:
    group = {"name": "Us", "type": "group", "members": ["bob"], "description": "Two of us"}
    await told.call(alice, "create_room", **group)
    made = await told.call(alice, "create_room", name="Tea", type="public")
    room_id: str = made["room"]["id"]
    joined = await told.call(bob, "join_room", room_id=room_id)
    assert joined["sync"]["upto"].endswith(".2")
    return room_id


async def _talk(told: Told, alice: Client, bob: Client, room_id: str) -> None:
    content = {"text": "@bob tea?", "mentions": ["bob"], "metadata": {"mood": "good"}}
    request = {"room_id": room_id, "client_id": new_client_id(), "content": content}
    first = await told.call(alice, "chat", **request, metadata={"from": "kitchen"})
    again = await told.call(alice, "chat", **request, metadata={"from": "kitchen"})
    assert again["duplicate"]
    for number, kind in enumerate(("image", "file")):
        content = {"message_type": kind, kind: "https://example.org/1", "reply_to": first["id"]}
        request = {"room_id": room_id, "client_id": new_client_id(), "content": content}
        await told.call((alice, bob)[number], "group", **request)
        await told.call((alice, bob)[number], "group", **request)
    private = {"to": "bob", "client_id": new_client_id(), "content": {"text": "psst"}}
    await told.call(alice, "private", **private)
    await told.call(alice, "private", **private)
    last = await told.call(alice, "chat", **_said(room_id, "wrong"))
    emoji = {"emoji": "👍", "on": True, "client_id": new_client_id()}
    await told.call(bob, "react", message_id=first["id"], **emoji)
    content = {"text": "@bob coffee?", "mentions": ["bob"]}
    edit = {"message_id": first["id"], "client_id": new_client_id(), "content": content}
    await told.call(alice, "edit_message", **edit)
    await told.call(alice, "delete_message", message_id=last["id"], client_id=new_client_id())


async def _read(told: Told, bob: Client, carol: Client, room_id: str) -> None:
    await told.call(bob, "typing", room_id=room_id, typing=True)
    await told.call(bob, "signal", room_id=room_id, name="cursor", data={"line": 3})
    mine = await told.call(bob, "rooms", limit=1)
    rest = await told.call(bob, "rooms", cursor=mine["next"])
    [tea] = [one for one in mine["rooms"] + rest["rooms"] if one["room"]["id"] == room_id]
    assert (tea["unread"], tea["mentions"]) == (2, 1)
    await told.call(bob, "history", room_id=room_id, limit=2)
    await told.call(bob, "read", room_id=room_id, seq=2)
    cursors = {room_id: None, NOWHERE: None}
    states = (await told.call(bob, "sync", rooms=cursors))["rooms"]
    states |= (await told.call(carol, "sync", rooms={room_id: None}))["rooms"]
    assert (states[NOWHERE]["state"], states[room_id]["state"]) == ("gone", "denied")
    reset = await told.call(bob, "sync", rooms={room_id: "00000000.1"})
    assert reset["rooms"][room_id]["state"] == "reset"
    await bob.emit("chat", {"room_id": room_id})
    await bob.event("system", lambda data: data["code"] == "rejected")


async def _come_and_go(told: Told, alice: Client, bob: Client, carol: Client, room_id: str) -> None:
    """Carol asks, withdraws, is let in, muted, kicked, invited, banned; others watch it happen."""
    room = {"room_id": room_id}

    async def act(event: str, **more: Any) -> None:
        about = {"user_id": "carol", "client_id": new_client_id(), **more}
        await told.call(alice, event, **room, **about)

    approval = {"settings": {"require_approval": True}}
    await told.call(alice, "update_room", **room, client_id=new_client_id(), changes=approval)
    asked = await told.call(carol, "join_room", **room)
    assert asked["membership"]["state"] == "pending"
    await alice.event("system", lambda data: data["code"] == "join_requested")
    [waiting] = (await told.call(carol, "rooms"))["waiting"]
    assert waiting["can"] == asked["can"]
    await told.call(carol, "leave_room", **room)
    await told.call(carol, "join_room", **room)
    await act("approve")
    await act("mute", muted_for_ms=60_000)
    people = await told.call(bob, "members", **room, limit=2)
    await told.call(bob, "members", **room, cursor=people["next"])
    await act("kick")
    await act("invite")
    await carol.event("system", lambda data: data["code"] == "invited")
    await told.call(carol, "join_room", **room)
    await act("ban")
    await act("unban")


async def _look_around(told: Told, alice: Client, bob: Client, erin: Client, room_id: str) -> None:
    await told.call(bob, "create_room", name="Cake", type="public")
    found = await told.call(erin, "discover", limit=1)
    await told.call(erin, "discover", cursor=found["next"])
    await told.call(erin, "room", room_id=room_id)
    await told.call(erin, "watch", room_id=room_id)
    await told.call(alice, "chat", **_said(room_id, "for all"))
    await erin.event("chat", lambda data: data["content"].get("text") == "for all")
    await told.call(erin, "unwatch", room_id=room_id)
    await told.call(bob, "watch", room_id=room_id)


async def _change_the_room(told: Told, alice: Client, bob: Client, room_id: str) -> None:
    promote = {"user_id": "bob", "client_id": new_client_id(), "role": "admin"}
    await told.call(alice, "set_role", room_id=room_id, **promote)
    settings = {
        "is_private": True,
        "max_members": 50,
        "allowed_types": ["text"],
        "mute_all": True,
        "require_approval": False,
        "retention_days": 30,
    }
    changes = {"name": "Coffee", "description": "No tea", "settings": settings}
    changed = await told.call(
        alice, "update_room", room_id=room_id, client_id=new_client_id(), changes=changes
    )
    assert changed["room"]["settings"] == settings
    await told.call(alice, "leave_room", room_id=room_id)
    heir = await bob.event("leave_room", lambda data: "owner" in data["content"])
    assert heir["content"]["owner"] == "bob"
    await told.call(bob, "delete_room", room_id=room_id, client_id=new_client_id())
    await bob.event("room_behind", lambda data: data["room_id"] == room_id)


async def _speak_as_admin(admin: aiohttp.ClientSession, erin: Client, bob: Client) -> None:
    announcement = {"content": {"text": "Tea at four", "metadata": {"urgent": False}}}
    async with admin.post("connections/broadcast", json=announcement) as answer:
        assert answer.status == 200
    await bob.event("system", lambda data: data["code"] == "announcement")
    async with admin.delete("connections/users/erin") as answer:
        assert answer.status == 200
    await erin.event("system", lambda data: data["code"] == "revoked")


def _said(room_id: str, text: str) -> dict[str, Any]:
    return {"room_id": room_id, "client_id": new_client_id(), "content": {"text": text}}
