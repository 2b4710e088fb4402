"""``docs/protocol.md`` says what a running server says."""

from collections.abc import Mapping
from typing import Any

from parley.storage.models import MessageType
from tests.clients import Client, new_client_id
from tests.conftest import Connect
from tests.protocol_document import Shapes, bare, named, read

DOCUMENT = read()
REQUESTS = DOCUMENT["Events a client sends"]
NOTICES = DOCUMENT["Events the server sends"]
NOWHERE = "0" * 24

NOT_SEEN = {
    "error.retry_after_ms",
    "message.prev",  # only after a lost hint
    *("skip.room_id", "skip.rev", "skip.prev"),
}
# A thousand members or rooms take longer than it is worth here.
# A room of 1,000 members, a user of 1,000 rooms: too long to make here.
NOT_TRIED = {("join_room", "room_full"), ("join_room", "forbidden")}


class Told:
    """Everything a server said, held to the document."""

    def __init__(self) -> None:
        self.shapes = Shapes(DOCUMENT)
        self.events: set[str] = set()

    async def call(self, client: Client, event: str, **payload: Any) -> Any:
        """Send one event and return the data of its ack."""
        ack = await client.ack(event, payload)
        assert ack["ok"] is True, ack
        self.shapes.check_fields(ack["data"], REQUESTS[event].fields("ack"), f"{event} ack")
        return ack["data"]

    async def refused(self, client: Client, event: str, **payload: Any) -> str:
        """Send one event and return the code of its error."""
        ack = await client.ack(event, payload)
        assert set(ack) == {"ok", "error"}, ack
        assert ack["ok"] is False
        self.shapes.check(ack["error"], "error", event)
        return str(ack["error"]["code"])

    def take(self, event: str, payload: Mapping[str, Any]) -> None:
        """Take an event of the server."""
        self.events.add(event)
        if event in list(MessageType):
            assert payload["type"] == event
            self.shapes.check(payload, "message", event)
        elif event == "system":
            codes = {bare(row[0]): named(row[1]) for row in NOTICES[event].table("code")}
            assert set(payload) == {"code", *codes[payload["code"]]}
            if "error" in payload:
                self.shapes.check(payload["error"], "error", event)
        else:
            self.shapes.check_fields(payload, NOTICES[event].fields(), event)

    def unseen(self) -> set[str]:
        """Return the documented fields that were never there."""
        tables = dict(self.shapes.fields)
        for name, part in REQUESTS.items():
            tables[f"{name} ack"] = part.fields("ack")
        for name, part in NOTICES.items():
            tables[name] = part.fields()
            tables[f"{name} content"] = part.fields("field of `content`")
        documented = {f"{name}.{field.name}" for name in tables for field in tables[name]}
        return documented - self.shapes.seen


async def test_acks_and_events_have_the_documented_shapes(connect: Connect) -> None:
    told = Told()
    alice, bob = await connect("alice"), await connect("bob")
    phone = await connect("bob")
    room_id = await _room(told, alice, bob)
    spoken = await _talk(told, alice, bob, room_id)
    await _change(told, alice, bob, spoken)
    await _read(told, bob, room_id)
    await told.call(alice, "leave_room", room_id=room_id)
    await bob.emit("chat", {"room_id": room_id})
    await bob.event("system", lambda data: data["code"] == "rejected")
    await phone.event("leave_room")
    for client in (alice, bob, phone):
        for event, payload in client.events:
            if not event.startswith("@"):
                told.take(event, payload)
    assert told.events == set(NOTICES) - {"", "room_update", "skip"}
    assert told.unseen() == NOT_SEEN


async def _room(told: Told, alice: Client, bob: Client) -> str:
    group = {"name": "Us", "type": "group", "members": ["bob"], "description": "Two of us"}
    await told.call(alice, "create_room", **group)
    made = await told.call(alice, "create_room", name="Tea", type="public")
    room_id: str = made["room"]["id"]
    joined = await told.call(bob, "join_room", room_id=room_id)
    assert joined["sync"]["upto"].endswith(".2")
    return room_id


async def _talk(told: Told, alice: Client, bob: Client, room_id: str) -> list[str]:
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
    return [first["id"], last["id"]]


async def _change(told: Told, alice: Client, bob: Client, spoken: list[str]) -> None:
    first, last = spoken
    emoji = {"emoji": "👍", "on": True, "client_id": new_client_id()}
    await told.call(bob, "react", message_id=first, **emoji)
    content = {"text": "@bob coffee?", "mentions": ["bob"]}
    edit = {"message_id": first, "client_id": new_client_id(), "content": content}
    await told.call(alice, "edit_message", **edit)
    await told.call(alice, "delete_message", message_id=last, client_id=new_client_id())


async def _read(told: Told, bob: Client, room_id: str) -> None:
    await told.call(bob, "typing", room_id=room_id, typing=True)
    rooms = await told.call(bob, "rooms")
    [tea] = [mine for mine in rooms["rooms"] if mine["room"]["id"] == room_id]
    assert (tea["unread"], tea["mentions"]) == (2, 1)
    await told.call(bob, "history", room_id=room_id, limit=2)
    await told.call(bob, "read", room_id=room_id, seq=2)
    cursors = {room_id: None, NOWHERE: None}
    await told.call(bob, "sync", rooms=cursors)
    reset = await told.call(bob, "sync", rooms={room_id: "00000000.1"})
    assert reset["rooms"][room_id]["state"] == "reset"


async def test_every_documented_error_of_an_event_happens(connect: Connect) -> None:
    told = Told()
    alice, bob = await connect("alice"), await connect("bob")
    tried = [
        *await _errors_of_rooms(told, alice, bob),
        *await _errors_of_sending(told, alice, bob),
        *await _errors_of_changes(told, alice, bob),
        *await _errors_of_reading(told, bob),
    ]
    documented = {
        (event, bare(row[0])) for event, part in REQUESTS.items() for row in part.table("error")
    }
    assert set(tried) == documented - NOT_TRIED


Tried = list[tuple[str, str]]


async def _errors_of_rooms(told: Told, alice: Client, bob: Client) -> Tried:
    request = {"type": "public", "client_id": new_client_id()}
    left = (await told.call(alice, "create_room", name="Tea", **request))["room"]["id"]
    await told.call(alice, "leave_room", room_id=left)
    group = (await told.call(alice, "create_room", name="Us", type="group"))["room"]["id"]
    psst = {"to": "bob", "client_id": new_client_id(), "content": {"text": "psst"}}
    direct = (await told.call(alice, "private", **psst))["room_id"]
    requests: list[tuple[str, dict[str, Any]]] = [
        ("create_room", {"name": "Coffee", **request}),
        ("create_room", {"name": "Tea", **request}),
        ("join_room", {"room_id": NOWHERE}),
        ("leave_room", {"room_id": direct}),
    ]
    tried = [(event, await told.refused(alice, event, **payload)) for event, payload in requests]
    return [*tried, ("join_room", await told.refused(bob, "join_room", room_id=group))]


async def _errors_of_sending(told: Told, alice: Client, bob: Client) -> Tried:
    room_id = (await told.call(alice, "create_room", name="Tea", type="public"))["room"]["id"]
    used, lost = _said(room_id, "hello"), _said(room_id, "hello")
    lost["content"]["reply_to"] = NOWHERE
    await told.call(alice, "chat", **used)
    used["content"] = {"text": "good-bye"}
    tried: Tried = []
    for event in ("chat", "group"):
        tried += [
            (event, await told.refused(alice, event, **used)),
            (event, await told.refused(alice, event, **lost)),
            (event, await told.refused(alice, event, **_said(NOWHERE, "hello"))),
            (event, await told.refused(bob, event, **_said(room_id, "hello"))),
        ]
    private = {"client_id": new_client_id(), "content": {"text": "psst"}}
    await told.call(alice, "private", to="bob", **private)
    private["content"] = {"text": "pssst"}
    tried.append(("private", await told.refused(alice, "private", to="bob", **private)))
    tried.append(("private", await told.refused(alice, "private", to="alice", **private)))
    return tried


async def _errors_of_changes(told: Told, alice: Client, bob: Client) -> Tried:
    room_id = (await told.call(alice, "create_room", name="Tea", type="public"))["room"]["id"]
    said = _said(room_id, "hello")
    there = (await told.call(alice, "chat", **said))["id"]
    joined = (await told.call(alice, "history", room_id=room_id))["messages"][0]["id"]
    gone = (await told.call(alice, "chat", **_said(room_id, "wrong")))["id"]
    await told.call(alice, "delete_message", message_id=gone, client_id=new_client_id())
    kinds: dict[str, dict[str, Any]] = {
        "edit_message": {"content": {"text": "good-bye"}},
        "delete_message": {},
        "react": {"emoji": "👍", "on": True},
    }
    tried: Tried = []
    for event, more in kinds.items():
        attempts = [
            (alice, {"message_id": NOWHERE, "client_id": new_client_id()}),
            (bob, {"message_id": there, "client_id": new_client_id()}),
            (alice, {"message_id": joined, "client_id": new_client_id()}),
            (alice, {"message_id": there, "client_id": said["client_id"]}),
            (alice, {"message_id": gone, "client_id": new_client_id()}),
        ]
        if event == "delete_message":
            del attempts[-1]
        for client, payload in attempts:
            tried.append((event, await told.refused(client, event, **payload, **more)))
    return tried


async def _errors_of_reading(told: Told, bob: Client) -> Tried:
    carols = (await told.call(bob, "create_room", name="Tea", type="public"))["room"]["id"]
    await told.call(bob, "leave_room", room_id=carols)
    tried: Tried = []
    for event, more in (("typing", {"typing": True}), ("read", {"seq": 1}), ("history", {})):
        for room_id in (NOWHERE, carols):
            tried.append((event, await told.refused(bob, event, room_id=room_id, **more)))
    return tried


def _said(room_id: str, text: str) -> dict[str, Any]:
    return {"room_id": room_id, "client_id": new_client_id(), "content": {"text": text}}
