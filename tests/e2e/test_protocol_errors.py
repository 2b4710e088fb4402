"""Every error that ``docs/protocol.md`` names for an event is what a running server answers."""

from collections.abc import Mapping
from typing import Any

import pytest

from parley.namespaces.chat.access import RIGHTS
from parley.namespaces.chat.events import ChatNamespace
from parley.server.http.json_schema import example_of, fields_of
from tests.clients import Client, new_client_id
from tests.conftest import Connect
from tests.protocol_document import bare, read

REQUESTS = read()["Events a client sends"]
NOWHERE = "0" * 24
FIELDS = {name: set(fields_of(event.schema)) for name, event in ChatNamespace.events.items()}

# A user of 1,000 rooms, a room where 1,000 wait: too long to make here.
NOT_TRIED = {("create_room", "forbidden"), ("approve", "forbidden")}


class House:
    """Three people, a room of theirs, and how each event about it may be asked."""

    def __init__(self, alice: Client, bob: Client, carol: Client) -> None:
        self.alice, self.bob, self.carol = alice, bob, carol
        self.room_id = ""
        self.said: dict[str, Any] = {}
        self.hers = ""

    async def furnish(self) -> None:
        """Make the room: alice owns it, bob is a member, carol is banned from it."""
        self.room_id = await self.room(self.alice)
        await self.bob.call("join_room", room_id=self.room_id)
        await self.act("ban", "carol")
        self.said = _said(self.room_id, "hello")
        self.hers = (await self.alice.call("chat", **self.said))["id"]

    async def room(self, owner: Client, **more: Any) -> str:
        """Return a room of somebody's."""
        made = await owner.call("create_room", **{"name": "Tea", "type": "public", **more})
        return str(made["room"]["id"])

    async def act(self, event: str, user_id: str, **more: Any) -> None:
        """Have alice do something to a member, and have it work."""
        await self.alice.call(event, **self.about(user_id, **more))

    def about(self, user_id: str, **more: Any) -> dict[str, Any]:
        """Return the fields of an event about somebody."""
        about = {"room_id": self.room_id, "user_id": user_id, "client_id": new_client_id()}
        return {**about, **more}

    def payload(self, event: str, **more: Any) -> dict[str, Any]:
        """Return a valid payload of an event about the room."""
        own = {**self.about("bob"), "message_id": self.hers, **more}
        example = example_of(ChatNamespace.events[event].schema)
        return {**example, **{name: own[name] for name in own if name in FIELDS[event]}}


@pytest.fixture
async def house(connect: Connect) -> House:
    """Return the house."""
    house = House(await connect("alice"), await connect("bob"), await connect("carol"))
    await house.furnish()
    return house


# What any event about a room may be answered

ABOUT = {name for name in FIELDS if "room_id" in FIELDS[name]}
STRICT = ABOUT - {"leave_room", "unwatch"}


def test_the_document_names_what_is_tried_here() -> None:
    rows = {bare(row[0]): row[1] for row in REQUESTS[""].table("error")}
    assert rows == {
        "not_found": "all about a room but `leave_room` and `unwatch`",
        "gone": "the same",
        "forbidden": "the same",
        "muted": 'those marked "no" there',
        "client_id_reused": "those with a `client_id` but `delete_room`",
    }


async def test_a_room_that_is_not_there(house: House) -> None:
    answers = {e: await _code(house.alice, e, house.payload(e, room_id=NOWHERE)) for e in ABOUT}
    assert answers == {event: "not_found" if event in STRICT else "ok" for event in ABOUT}


async def test_a_room_that_was_deleted(house: House) -> None:
    gone = await house.room(house.bob)
    await house.bob.call("delete_room", room_id=gone, client_id=new_client_id())
    answers = {e: await _code(house.alice, e, house.payload(e, room_id=gone)) for e in ABOUT}
    assert answers == {event: "gone" if event in STRICT else "ok" for event in ABOUT}


async def test_a_room_that_one_is_banned_from(house: House) -> None:
    answers = {event: await _code(house.carol, event, house.payload(event)) for event in ABOUT}
    assert answers == {event: "forbidden" if event in STRICT else "ok" for event in ABOUT}


async def test_a_room_in_which_one_is_muted(house: House) -> None:
    await house.act("mute", "bob", muted_for_ms=600_000)
    answers = {e: await _code(house.bob, e, house.payload(e)) for e in RIGHTS if e != "private"}
    muted = {event for event, code in answers.items() if code == "muted"}
    assert muted == {event for event, right in RIGHTS.items() if right.speaks} - {"private"}


async def test_a_client_id_that_was_used(house: House) -> None:
    used = house.said["client_id"]
    named = {event for event in FIELDS if "client_id" in FIELDS[event]}
    changes = {"content": {"text": "good-bye"}}
    # Where it would change something: else there is nothing to store, and the answer is ok.
    who = {"unban": "carol", **dict.fromkeys(("ban", "invite", "approve"), "erin")}
    for event in named - {"create_room", "delete_room", "private"}:
        more = {"user_id": who.get(event, "bob"), "client_id": used, **changes}
        assert await _code(house.alice, event, house.payload(event, **more)) == "client_id_reused"
    whisper = {"to": "bob", "client_id": new_client_id()}
    await house.alice.call("private", **whisper, content={"text": "psst"})
    answer = await _code(house.alice, "private", {**whisper, "content": {"text": "pssst"}})
    assert answer == "client_id_reused"


# What one event may be answered

Tried = list[tuple[str, str]]


async def test_every_error_of_an_event_happens(house: House) -> None:
    tried = [
        *await _of_rooms(house),
        *await _of_coming_in(house),
        *await _of_moderation(house),
        *await _of_speaking(house),
        *await _of_changing(house),
    ]
    documented = {
        (event, bare(row[0]))
        for event, part in REQUESTS.items()
        if event
        for row in part.table("error")
    }
    assert set(tried) == documented - NOT_TRIED


async def _of_rooms(house: House) -> Tried:
    alice, room_id = house.alice, house.room_id
    kept = {"name": "Tea", "type": "group", "client_id": new_client_id()}
    lost = {**kept, "client_id": new_client_id()}
    await house.room(alice, **kept)
    gone = {"room_id": await house.room(alice, **lost), "client_id": new_client_id()}
    await alice.call("delete_room", **gone)
    left = {**kept, "client_id": new_client_id()}
    await alice.call("leave_room", room_id=await house.room(alice, **left))
    small = {"members": ["bob", "carol"], "settings": {"max_members": 2}}
    changes = {"room_id": room_id, "changes": {"name": "Coffee"}}
    open_ = {"room_id": await house.room(alice, type="group"), "client_id": new_client_id()}
    cursor = {"cursor": "no-cursor"}
    return [
        await _try(alice, "create_room", {**kept, "name": "Coffee"}),
        await _try(alice, "create_room", lost),
        await _try(alice, "create_room", left),
        await _try(alice, "create_room", {"name": "Tea", "type": "group", **small}),
        await _try(house.bob, "delete_room", gone),
        await _try(alice, "rooms", cursor),
        await _try(alice, "discover", cursor),
        await _try(alice, "members", {"room_id": room_id, **cursor}),
        await _try(house.bob, "members", {"room_id": room_id, "state": "banned"}),
        await _try(alice, "update_room", {**changes, "client_id": new_client_id(), "if_rev": 0}),
        await _try(alice, "update_room", {**open_, "changes": {"settings": {"is_private": False}}}),
    ]


async def _of_coming_in(house: House) -> Tried:
    alice, bob, carol = house.alice, house.bob, house.carol
    closed = {"room_id": await house.room(alice, type="group")}
    settings = {"max_members": 2, "require_approval": True}
    full = {"room_id": await house.room(alice, settings=settings)}
    for guest in (bob, carol):
        await guest.call("join_room", **full)
    welcome = house.about("bob", **full)
    await alice.call("approve", **welcome)
    late = house.about("carol", **full)
    small = {"room_id": await house.room(alice, members=["bob"], settings={"max_members": 2})}
    whisper = await alice.call("private", to="bob", **_text())
    return [
        await _try(carol, "watch", closed),
        await _try(carol, "watch", {"room_id": house.room_id}),
        await _try(carol, "join_room", closed),
        await _try(carol, "join_room", {"room_id": house.room_id}),
        await _try(carol, "join_room", small),
        await _try(alice, "leave_room", {"room_id": whisper["room_id"]}),
        await _try(alice, "invite", house.about("carol")),
        await _try(alice, "invite", late),
        await _try(alice, "approve", late),
        await _try(alice, "approve", house.about("erin")),
    ]


async def _of_moderation(house: House) -> Tried:
    await house.act("set_role", "bob", role="admin")
    tried = [
        await _try(house.bob, event, house.payload(event, user_id="alice"))
        for event in ("kick", "ban", "mute")
    ]
    for event, user_id in (("mute", "erin"), ("set_role", "erin"), ("set_role", "alice")):
        payload = house.payload(event, user_id=user_id)
        tried.append(await _try(house.alice, event, payload))
    await house.act("set_role", "bob", role="member")
    return tried


async def _of_speaking(house: House) -> Tried:
    lost = {"content": {"text": "hello", "reply_to": NOWHERE}}
    picture = {"content": {"message_type": "image", "image": "https://example.org/1"}}
    changes = {"settings": {"allowed_types": ["text"]}}
    await house.alice.call("update_room", **house.payload("update_room", changes=changes))
    return [
        await _try(house.alice, "chat", house.payload("chat", **lost)),
        await _try(house.alice, "chat", house.payload("chat", **picture)),
        await _try(house.bob, "group", house.payload("group", **lost)),
        await _try(house.bob, "group", house.payload("group", **picture)),
        await _try(house.alice, "private", {"to": "alice", **_text()}),
        await _try(house.alice, "edit_message", house.payload("edit_message", **picture)),
    ]


async def _of_changing(house: House) -> Tried:
    alice, room = house.alice, {"room_id": house.room_id}
    joined = (await alice.call("history", **room))["messages"][0]["id"]
    gone = (await alice.call("chat", **_said(house.room_id, "wrong")))["id"]
    await alice.call("delete_message", message_id=gone, client_id=new_client_id())
    for number in range(20):
        await alice.call("react", **{**house.payload("react"), "emoji": str(number)})
    tried = [await _try(alice, "react", house.payload("react"))]
    for event in ("edit_message", "delete_message", "react"):
        for client, message_id in ((alice, NOWHERE), (alice, joined), (alice, gone)):
            tried.append(await _try(client, event, house.payload(event, message_id=message_id)))
        tried.append(await _try(house.bob, event, house.payload(event)))
    return [(event, code) for event, code in tried if code != "ok"]


async def _try(client: Client, event: str, payload: Mapping[str, Any]) -> tuple[str, str]:
    return event, await _code(client, event, payload)


async def _code(client: Client, event: str, payload: Mapping[str, Any]) -> str:
    ack = await client.ack(event, payload)
    return "ok" if ack["ok"] else str(ack["error"]["code"])


def _text() -> dict[str, Any]:
    return {"client_id": new_client_id(), "content": {"text": "psst"}}


def _said(room_id: str, text: str) -> dict[str, Any]:
    return {"room_id": room_id, "client_id": new_client_id(), "content": {"text": text}}
