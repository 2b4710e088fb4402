"""Whose a room is, what she changes about it, and its end."""

from functools import partial
from typing import Any

import aiohttp
import pytest

from tests.clients import new_client_id
from tests.e2e.people import Person
from tests.e2e.stock import Enter, both_languages
from tests.servers import ServerProcess

pytestmark = [pytest.mark.asyncio(loop_scope="module"), both_languages]


@pytest.fixture
def server(shared_server: ServerProcess) -> ServerProcess:
    return shared_server


async def test_the_oldest_admin_inherits_then_the_oldest_member(enter: Enter) -> None:
    """And whoever comes into a room that all have left owns it."""
    alice, bob, adam, carol = [
        await Person.come(enter, name) for name in ("alice", "bob", "adam", "carol")
    ]
    room_id = await alice.make(bob, adam)
    await carol.call("join_room", room_id)
    await alice.do("set_role", room_id, adam, role="admin")
    people = [alice, adam, bob, carol]
    for leaving, heir in zip(people, [*people[1:], None], strict=True):
        await leaving.call("leave_room", room_id)
        row = await leaving.hears("leave_room", room_id, partial(_is_by, leaving))
        assert row["content"].get("owner") == (heir and heir.id)
        if heir is not None:
            view = await heir.view(room_id)
            assert (view["room"]["owner"], view["membership"]["role"]) == (heir.id, "owner")
            assert "delete_room" in view["can"]
    assert "owner" not in (await bob.view(room_id))["room"]
    entered = await bob.call("join_room", room_id)
    assert (entered["room"]["owner"], entered["membership"]["role"]) == (bob.id, "owner")


def _is_by(person: Person, message: Any) -> bool:
    return bool(message["from"] == person.id)


async def test_a_room_is_handed_over(enter: Enter) -> None:
    """To a member; who gave it is an admin from then on, and may not take it back."""
    alice, bob, carol = [await Person.come(enter, name) for name in ("alice", "bob", "carol")]
    room_id = await alice.make(bob)
    assert await bob.refusal("set_role", room_id, bob, role="owner") == "forbidden"
    assert await alice.refusal("set_role", room_id, carol, role="owner") == "not_found"
    made = await alice.do("set_role", room_id, bob, role="owner")
    assert made["membership"]["role"] == "owner"
    row = await bob.hears("room_update", room_id)
    assert row["content"] == {"member": {"user_id": bob.id, "role": "owner"}}
    assert row["from"] == alice.id
    for person, role in ((alice, "admin"), (bob, "owner")):
        view = await person.view(room_id)
        assert (view["room"]["owner"], view["membership"]["role"]) == (bob.id, role)
    members = (await bob.call("members", room_id))["members"]
    assert {m["user_id"]: m["role"] for m in members} == {alice.id: "admin", bob.id: "owner"}
    assert await alice.refusal("set_role", room_id, bob, role="member") == "forbidden"
    assert await alice.refusal("kick", room_id, bob) == "forbidden"
    assert await alice.refusal("delete_room", room_id) == "forbidden"
    assert (await alice.do("update_room", room_id, changes={"name": "Coffee"}))["room"]


async def test_who_has_a_room_handed_to_her_may_speak(enter: Enter) -> None:
    """Nobody could end her mute, for nobody is above her."""
    alice, bob = await Person.come(enter, "alice"), await Person.come(enter, "bob")
    room_id = await alice.make(bob)
    await alice.do("mute", room_id, bob, muted_for_ms=3_600_000)
    await alice.do("set_role", room_id, bob, role="owner")
    await bob.say(room_id, "mine")


async def test_a_room_is_changed_and_everybody_hears_what(enter: Enter) -> None:
    """Only what is another than it was; what is so already writes nothing."""
    alice, bob = await Person.come(enter, "alice"), await Person.come(enter, "bob")
    room_id = await alice.make(bob)
    before = (await alice.view(room_id))["room"]
    assert before["settings"] == {
        "is_private": False,
        "max_members": 1_000,
        "allowed_types": ["text", "image", "file"],
        "mute_all": False,
        "require_approval": False,
    }
    changes = {
        "name": before["name"],
        "description": "for two",
        "settings": {"max_members": 1_000, "require_approval": True, "retention_days": 30},
    }
    changed = await alice.do("update_room", room_id, changes=changes)
    row = await bob.hears("room_update", room_id)
    settings = {"require_approval": True, "retention_days": 30}
    assert row["content"] == {"changed": {"description": "for two", "settings": settings}}
    room = (await bob.view(room_id))["room"]
    assert room == changed["room"]
    assert room["rev"] == row["rev"]
    assert room["settings"] == {**before["settings"], **settings}
    assert room["description"] == "for two"
    again = await alice.do("update_room", room_id, changes=changes)
    assert again["room"] == room
    assert await alice.head(room_id) == row["rev"]
    takes_away = {"description": "", "settings": {"retention_days": 0}}
    bare = (await alice.do("update_room", room_id, changes=takes_away))["room"]
    assert "description" not in bare
    assert "retention_days" not in bare["settings"]


async def test_who_changes_what_she_has_not_seen_is_told(enter: Enter) -> None:
    """With ``if_rev`` nobody overwrites what somebody else changed meanwhile."""
    alice, adam = await Person.come(enter, "alice"), await Person.come(enter, "adam")
    room_id = await alice.make(adam)
    await alice.do("set_role", room_id, adam, role="admin")
    rev = (await adam.view(room_id))["room"]["rev"]
    mine = await alice.do("update_room", room_id, changes={"name": "Coffee"}, if_rev=rev)
    assert mine["room"]["rev"] > rev
    changes = {"name": "Milk"}
    assert await adam.refusal("update_room", room_id, changes=changes, if_rev=rev) == "conflict"
    assert (await adam.view(room_id))["room"] == mine["room"]
    # What is said there does not count.
    await adam.say(room_id, "I see")
    await adam.do("update_room", room_id, changes={"name": "Milk"}, if_rev=mine["room"]["rev"])


async def test_only_a_public_room_can_be_open_to_everyone(enter: Enter) -> None:
    alice = await Person.come(enter, "alice")
    opening = {"settings": {"is_private": False}}
    for kind in ("private", "group"):
        room_id = await alice.make(kind=kind)
        payload = {"room_id": room_id, "client_id": new_client_id(), "changes": opening}
        ack = await alice.io.ack("update_room", payload)
        (error,) = ack["error"]["details"]["errors"]
        assert error["pointer"] == "/changes/settings/is_private"
        await alice.do("update_room", room_id, changes={"settings": {"is_private": True}})


async def test_a_room_is_found_while_it_is_listed(enter: Enter) -> None:
    alice, bob = await Person.come(enter, "alice"), await Person.come(enter, "bob")
    room_id = await alice.make()
    name = f"Tea of {alice.id}"
    await alice.do("update_room", room_id, changes={"name": name})

    async def found() -> list[str]:
        rooms = (await bob.io.call("discover", q=name.upper()))["rooms"]
        return [view["room"]["id"] for view in rooms]

    assert await found() == [room_id]
    await alice.do("update_room", room_id, changes={"settings": {"is_private": True}})
    assert await found() == []
    assert await bob.refused("join_room", room_id=room_id) == "not_found"
    await alice.do("update_room", room_id, changes={"settings": {"is_private": False}})
    await bob.call("join_room", room_id)


async def test_a_deleted_room_is_gone_for_everyone(enter: Enter, server: ServerProcess) -> None:
    """Every socket that follows it is told to sync, and learns it; nothing of it is left."""
    alice, bob, carol, dave = [
        await Person.come(enter, name) for name in ("alice", "bob", "carol", "dave")
    ]
    phone = await bob.again()
    room_id = await alice.make(bob)
    cursor = (await phone.call("join_room", room_id))["sync"]["upto"]
    said = await bob.say(room_id, "secret")
    await carol.call("watch", room_id)
    await alice.do("invite", room_id, dave)
    assert await alice.do("delete_room", room_id) == {}
    for device in (alice, bob, phone, carol):
        # Bob has heard one before, when he was made a member.
        await device.hears("room_behind", room_id, lambda data: data["head"] > 2)
        synced = await device.io.call("sync", rooms={room_id: cursor})
        assert synced["rooms"] == {room_id: {"state": "gone"}}
    for person in (alice, bob, carol, dave):
        for event in ("room", "join_room", "history", "members", "watch"):
            assert await person.refused(event, room_id=room_id) == "gone", event
        assert await person.call("leave_room", room_id) == {}
        assert await person.call("unwatch", room_id) == {}
        assert await person.silence(room_id) == "gone"
        mine = await person.io.call("rooms")
        assert (mine["rooms"], mine["waiting"]) == ([], [])
    message = {"message_id": said["id"], "client_id": new_client_id()}
    assert await bob.refused("delete_message", **message) == "not_found"
    assert await alice.refusal("update_room", room_id, changes={"name": "Tea"}) == "gone"
    assert await alice.refusal("invite", room_id, bob) == "gone"
    headers = {"Authorization": f"Bearer {server.token(bob.id)}"}
    url = f"{server.url}/api/v1/rooms/{room_id}"
    async with aiohttp.ClientSession(headers=headers) as http, http.get(url) as answer:
        assert answer.status == 410
        assert (await answer.json())["error"]["code"] == "gone"
    back = await bob.again(since={room_id: cursor})
    assert back.io.of("sync")[-1]["rooms"] == {room_id: {"state": "gone"}}


async def test_only_its_owner_deletes_a_room(enter: Enter) -> None:
    alice, adam = await Person.come(enter, "alice"), await Person.come(enter, "adam")
    room_id = await alice.make(adam)
    await alice.do("set_role", room_id, adam, role="admin")
    assert await adam.refusal("delete_room", room_id) == "forbidden"
    await alice.do("set_role", room_id, adam, role="owner")
    assert await alice.refusal("delete_room", room_id) == "forbidden"
    assert await adam.do("delete_room", room_id) == {}
    assert await alice.refusal("delete_room", room_id) == "gone"
