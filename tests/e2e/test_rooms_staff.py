"""What owner and admins do to others: it holds on every device, from the very next event on."""

import asyncio
from typing import Any

import pytest

from tests.clients import Lost, new_client_id
from tests.e2e.people import Person
from tests.e2e.stock import Enter, both_languages
from tests.servers import ServerProcess

pytestmark = [pytest.mark.asyncio(loop_scope="module"), both_languages]

HOUR = 3_600_000


@pytest.fixture
def server(shared_server: ServerProcess) -> ServerProcess:
    return shared_server


@pytest.mark.parametrize("kind", ["public", "private"])
async def test_who_is_kicked_is_out_at_once_on_every_device(enter: Enter, kind: str) -> None:
    """She hears that she was, and nothing after it; into a listed room she may come back."""
    alice, bob = await Person.come(enter, "alice"), await Person.come(enter, "bob")
    phone = await bob.again()
    room_id = await alice.make(bob, kind=kind)
    await phone.call("join_room", room_id)
    assert await alice.do("kick", room_id, bob) == {}
    refused = {"public": "forbidden", "private": "not_found"}[kind]
    for device in (bob, phone):
        assert await device.silence(room_id) == refused
        assert await device.refused("read", room_id=room_id, seq=1) == refused
        (row,) = device.heard(room_id, "leave_room")
        assert row["content"] == {"user_id": bob.id, "reason": "kicked", "by": alice.id}
    await alice.say(room_id, "gone?")
    await alice.hears_text(room_id, "gone?")
    lost = {"public": "denied", "private": "gone"}[kind]
    for device in (bob, phone):
        synced = await device.io.call("sync", rooms={room_id: None})
        assert synced["rooms"] == {room_id: {"state": lost}}
        assert device.heard(room_id, "chat") == []
    if kind == "public":
        await bob.call("join_room", room_id)
        await bob.say(room_id, "back")
        await phone.hears_text(room_id, "back")
    else:
        assert await bob.refused("join_room", room_id=room_id) == "not_found"


async def test_nothing_is_stored_after_a_kick(enter: Enter) -> None:
    """However it is written at the same time: what was acked stands before it in the log."""
    alice, bob = await Person.come(enter, "alice"), await Person.come(enter, "bob")
    room_id = await alice.make(bob)
    chatter = [
        (
            "chat",
            {"room_id": room_id, "client_id": new_client_id(), "content": {"text": str(number)}},
        )
        for number in range(200)
    ]
    acks, _ = await asyncio.gather(bob.io.burst(chatter), alice.do("kick", room_id, bob))
    kicked = (await alice.hears("leave_room", room_id))["rev"]
    placed, codes = list[int](), set[str]()
    for ack in acks:
        assert not isinstance(ack, Lost)
        if ack["ok"]:
            placed.append(ack["data"]["seq"])
        else:
            codes.add(ack["error"]["code"])
    assert max(placed, default=0) < kicked
    assert codes <= {"forbidden"}
    rows = (await alice.call("history", room_id, after=kicked))["messages"]
    assert rows == []


async def test_a_ban_holds_until_it_is_lifted(enter: Enter) -> None:
    """Also of who was never inside."""
    alice, bob, carol = [await Person.come(enter, name) for name in ("alice", "bob", "carol")]
    phone = await bob.again()
    room_id = await alice.make(bob)
    for guest in (bob, carol):
        made = await alice.do("ban", room_id, guest)
        assert (made["membership"]["user_id"], made["membership"]["state"]) == (guest.id, "banned")
        assert await guest.silence(room_id) == "forbidden"
        for event in ("join_room", "watch", "room", "history"):
            assert await guest.refused(event, room_id=room_id) == "forbidden", event
    (row,) = phone.heard(room_id, "leave_room")
    assert row["content"] == {"user_id": bob.id, "reason": "banned", "by": alice.id}
    banned = await alice.call("members", room_id, state="banned")
    assert {member["user_id"] for member in banned["members"]} == {bob.id, carol.id}
    (listed,) = [
        view
        for view in (await bob.io.call("discover", q="Tea", limit=100))["rooms"]
        if view["room"]["id"] == room_id
    ]
    assert listed["can"] == []
    assert await alice.do("unban", room_id, bob) == {}
    row = await alice.hears(
        "room_update", room_id, lambda data: data["content"] == {"member": {"user_id": bob.id}}
    )
    assert row["from"] == alice.id
    await bob.call("join_room", room_id)
    await bob.say(room_id, "back")


async def test_who_is_muted_reads_and_does_not_speak(enter: Enter) -> None:
    """On every device, from the very next event on, and ``can`` says so."""
    alice, bob = await Person.come(enter, "alice"), await Person.come(enter, "bob")
    phone = await bob.again()
    room_id = await alice.make(bob)
    await phone.call("join_room", room_id)
    said = await bob.say(room_id, "before")
    before = set((await bob.view(room_id))["can"])
    made = await alice.do("mute", room_id, bob, muted_for_ms=HOUR)
    message = {"message_id": said["id"], "client_id": new_client_id()}
    content = {"content": {"text": "I say"}}
    speech: dict[str, dict[str, Any]] = {
        "chat": {"room_id": room_id, "client_id": new_client_id(), **content},
        "group": {"room_id": room_id, "client_id": new_client_id(), **content},
        "typing": {"room_id": room_id, "typing": True},
        "signal": {"room_id": room_id, "name": "here"},
        "react": {**message, "emoji": "👍", "on": True},
        "edit_message": {**message, **content},
    }
    until = made["membership"]["muted_until"]
    for event, payload in speech.items():
        for device in (bob, phone):
            ack = await device.io.ack(event, payload)
            assert ack["error"]["code"] == "muted", event
            assert ack["error"]["details"]["muted_until"] == until
    row = await phone.hears("room_update", room_id)
    assert row["content"] == {"member": {"user_id": bob.id, "muted_for_ms": HOUR}}
    view = await bob.view(room_id)
    assert view["membership"]["muted_until"] == until
    assert before - set(view["can"]) == set(speech)
    await bob.call("read", room_id, seq=said["seq"])
    await alice.say(room_id, "hush")
    await phone.hears_text(room_id, "hush")
    await bob.io.call("delete_message", **message)
    await alice.do("mute", room_id, bob, muted_for_ms=0)
    await bob.say(room_id, "at last")
    assert "muted_until" not in (await bob.view(room_id))["membership"]


async def test_where_only_staff_speaks_it_begins_with_the_row(enter: Enter) -> None:
    """``mute_all``, and the kinds of content a room takes, hold from their position on."""
    alice, adam, bob = [await Person.come(enter, name) for name in ("alice", "adam", "bob")]
    room_id = await alice.make(adam, bob)
    said = await bob.say(room_id, "before")
    await alice.do("set_role", room_id, adam, role="admin")
    await adam.do("update_room", room_id, changes={"settings": {"mute_all": True}})
    assert await bob.silence(room_id) == "muted"
    row = await bob.hears("room_update", room_id, lambda data: "changed" in data["content"])
    assert row["content"] == {"changed": {"settings": {"mute_all": True}}}
    await adam.say(room_id, "hear, hear")
    settings = {"mute_all": False, "allowed_types": ["image"]}
    await adam.do("update_room", room_id, changes={"settings": settings})
    edit = {"message_id": said["id"], "client_id": new_client_id(), "content": {"text": "after"}}
    chat = {"room_id": room_id, "client_id": new_client_id(), "content": {"text": "after"}}
    for event, payload in (("edit_message", edit), ("chat", chat)):
        ack = await bob.io.ack(event, payload)
        assert ack["error"]["code"] == "rejected_content"
        (error,) = ack["error"]["details"]["errors"]
        assert error["pointer"] == "/content/message_type"
    picture = {"message_type": "image", "image": "https://example.org/cat.png"}
    await bob.do("chat", room_id, content=picture)


async def test_staff_removes_what_others_said(enter: Enter) -> None:
    """Of lower rank, or of nobody any more; everybody sees it go."""
    alice, adam, bob = [await Person.come(enter, name) for name in ("alice", "adam", "bob")]
    room_id = await alice.make(adam, bob)
    await alice.do("set_role", room_id, adam, role="admin")
    ids = {who: (await who.say(room_id, who.id))["id"] for who in (alice, adam, bob)}

    async def remove(who: Person, author: Person) -> str:
        payload = {"message_id": ids[author], "client_id": new_client_id()}
        ack = await who.io.ack("delete_message", payload)
        return "ok" if ack["ok"] else str(ack["error"]["code"])

    assert await remove(bob, adam) == "forbidden"
    assert await remove(adam, alice) == "forbidden"
    assert await remove(adam, bob) == "ok"
    gone = await bob.hears("chat", room_id, lambda data: data.get("deleted"))
    assert (gone["id"], gone["content"], gone["from"]) == (ids[bob], {}, bob.id)
    await adam.call("leave_room", room_id)
    assert await remove(bob, adam) == "forbidden"
    assert await remove(alice, adam) == "ok"
