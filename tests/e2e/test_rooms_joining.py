"""How people come into rooms: invited, asking, added; and how that ends before it begins."""

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


# Invitations


async def test_an_invitation_is_told_and_accepted(enter: Enter) -> None:
    """On every device she is told; once she is in, all of them are."""
    alice, bob = await Person.come(enter, "alice"), await Person.come(enter, "bob")
    phone = await bob.again()
    room_id = await alice.make(kind="private")
    made = await alice.do("invite", room_id, bob)
    assert (made["membership"]["user_id"], made["membership"]["state"]) == (bob.id, "invited")
    for device in (bob, phone):
        notice = await device.io.event("system", lambda data: data["code"] == "invited")
        assert notice == {
            "code": "invited",
            "room_id": room_id,
            "by": alice.id,
            "room": {"id": room_id, "name": "Tea", "type": "private"},
        }
    heard = await alice.hears("room_update", room_id)
    assert heard["content"] == {"member": {"user_id": bob.id, "state": "invited"}}
    mine = await bob.io.call("rooms")
    assert mine["rooms"] == []
    (waiting,) = mine["waiting"]
    assert waiting["membership"]["state"] == "invited"
    assert set(waiting["can"]) == {"join_room", "leave_room", "room"}
    assert (await bob.view(room_id))["can"] == waiting["can"]
    assert await bob.silence(room_id) == "forbidden"

    joined = await bob.call("join_room", room_id)
    assert joined["membership"]["state"] == "member"
    assert (joined["sync"]["events"], joined["sync"]["more"]) == ([], False)
    content = {"user_id": bob.id, "role": "member", "reason": "invited"}
    for device in (alice, phone):
        await device.hears("join_room", room_id, lambda data: data["content"] == content)
    assert (await bob.io.call("rooms"))["waiting"] == []
    await alice.say(room_id, "welcome")
    for device in (bob, phone):
        await device.hears_text(room_id, "welcome")


async def test_an_invitation_is_declined(enter: Enter) -> None:
    alice, bob = await Person.come(enter, "alice"), await Person.come(enter, "bob")
    phone = await bob.again()
    room_id = await alice.make(kind="private")
    await alice.do("invite", room_id, bob)
    await phone.io.event("system", lambda data: data["code"] == "invited")
    assert await bob.call("leave_room", room_id) == {}
    for device in (alice, bob, phone):
        row = await device.hears("leave_room", room_id)
        assert row["content"] == {"user_id": bob.id, "reason": "left", "was": "invited"}
    assert (await bob.io.call("rooms"))["waiting"] == []
    assert await bob.refused("join_room", room_id=room_id) == "not_found"
    assert await bob.refused("room", room_id=room_id) == "not_found"
    assert (await alice.view(room_id))["room"]["member_count"] == 1


async def test_an_invitation_is_withdrawn(enter: Enter) -> None:
    alice, bob = await Person.come(enter, "alice"), await Person.come(enter, "bob")
    phone = await bob.again()
    room_id = await alice.make(kind="private")
    await alice.do("invite", room_id, bob)
    assert await alice.do("kick", room_id, bob) == {}
    for device in (alice, bob, phone):
        row = await device.hears("leave_room", room_id)
        expected = {"user_id": bob.id, "by": alice.id, "reason": "kicked", "was": "invited"}
        assert row["content"] == expected
    assert await bob.refused("join_room", room_id=room_id) == "not_found"


async def test_who_was_away_finds_her_invitations(enter: Enter) -> None:
    """The list of rooms has them; the catch-up does not, for she is not inside."""
    alice, bob = await Person.come(enter, "alice"), await Person.come(enter, "bob")
    await bob.io.close()
    room_id = await alice.make(kind="group")
    await alice.do("invite", room_id, bob)
    back = await bob.again()
    assert [part["rooms"] for part in back.io.of("sync")] == [{}]
    (waiting,) = (await back.io.call("rooms"))["waiting"]
    assert waiting["room"]["id"] == room_id
    synced = await back.io.call("sync", rooms={room_id: None})
    assert synced["rooms"] == {room_id: {"state": "gone"}}
    await back.call("join_room", room_id)
    await back.say(room_id, "here")


async def test_nobody_is_invited_who_is_banned_or_beyond_the_last_place(enter: Enter) -> None:
    """A ban is lifted first; an invitation takes no place, coming in does."""
    alice, bob, carol = [await Person.come(enter, name) for name in ("alice", "bob", "carol")]
    room_id = await alice.make(bob, kind="private", max_members=2)
    await alice.do("ban", room_id, bob)
    assert await alice.refusal("invite", room_id, bob) == "conflict"
    await alice.do("unban", room_id, bob)
    for guest in (bob, carol):
        await alice.do("invite", room_id, guest)
    await bob.call("join_room", room_id)
    assert await carol.refused("join_room", room_id=room_id) == "room_full"
    await bob.call("leave_room", room_id)
    await carol.call("join_room", room_id)


# Requests


async def test_a_request_is_told_to_staff_and_granted(enter: Enter) -> None:
    """To plain members it is a position without a content; who was let in is live at once."""
    alice, adam, carol, bob = [
        await Person.come(enter, name) for name in ("alice", "adam", "carol", "bob")
    ]
    phone = await bob.again()
    room_id = await alice.make(adam, carol, require_approval=True)
    await alice.do("set_role", room_id, adam, role="admin")
    asked = await bob.call("join_room", room_id)
    assert asked["membership"]["state"] == "pending"
    assert "sync" not in asked
    assert "join_room" not in asked["can"]
    rev = await alice.head(room_id)
    for staff in (alice, adam):
        notice = await staff.io.event("system", lambda data: data["code"] == "join_requested")
        assert notice == {"code": "join_requested", "room_id": room_id, "user_id": bob.id}
        row = await staff.hears("room_update", room_id, lambda data: data["rev"] == rev)
        assert row["content"] == {"member": {"user_id": bob.id, "state": "pending"}}
    assert await carol.hears("skip", room_id) == {"room_id": room_id, "rev": rev}
    assert carol.system("join_requested") == []
    assert bob.id not in str(await carol.told(room_id))
    waiting = await adam.call("members", room_id, state="pending")
    assert [member["user_id"] for member in waiting["members"]] == [bob.id]
    again = await bob.call("join_room", room_id)
    assert again["membership"] == asked["membership"]

    granted = await adam.do("approve", room_id, bob)
    assert granted["membership"]["state"] == "member"
    for device in (alice, carol, bob, phone):
        row = await device.hears("join_room", room_id, lambda m: m["content"]["user_id"] == bob.id)
        assert row["content"] == {
            "user_id": bob.id,
            "role": "member",
            "reason": "approved",
            "by": adam.id,
        }
        assert row["rev"] == rev + 1
    await alice.say(room_id, "welcome")
    for device in (carol, bob, phone):
        assert (await device.hears_text(room_id, "welcome"))["rev"] == rev + 2
    assert phone.heard(room_id, "room_behind") == []


@pytest.mark.parametrize("how", ["refused", "taken back"])
async def test_a_request_ends_without_a_word_to_plain_members(enter: Enter, how: str) -> None:
    """Owner, admins and who asked see it; to the others it leaves no trace."""
    alice, carol, bob, dave = [
        await Person.come(enter, name) for name in ("alice", "carol", "bob", "dave")
    ]
    phone = await bob.again()
    room_id = await alice.make(carol, require_approval=True)
    await dave.call("watch", room_id)
    await bob.call("join_room", room_id)
    if how == "refused":
        assert await alice.do("kick", room_id, bob) == {}
        content = {"user_id": bob.id, "reason": "kicked", "by": alice.id, "was": "pending"}
    else:
        assert await bob.call("leave_room", room_id) == {}
        content = {"user_id": bob.id, "reason": "left", "was": "pending"}
    for device in (alice, bob, phone):
        assert (await device.hears("leave_room", room_id))["content"] == content
    await alice.say(room_id, "so")
    for other in (carol, dave):  # a member, and somebody who watches
        await other.hears_text(room_id, "so")
        assert len(other.heard(room_id, "skip")) == 2
        assert other.heard(room_id, "leave_room", "room_update") == []
        assert bob.id not in str(await other.told(room_id))
    assert ("leave_room", content) in await alice.told(room_id)
    view = await bob.view(room_id)  # it is listed, after all
    assert "membership" not in view
    assert (await bob.call("join_room", room_id))["membership"]["state"] == "pending"


async def test_who_asked_finds_her_request_in_the_history(enter: Enter) -> None:
    """It is hidden from members whose business it is not, and so it is hers."""
    alice, bob = await Person.come(enter, "alice"), await Person.come(enter, "bob")
    room_id = await alice.make(require_approval=True)
    await bob.call("join_room", room_id)
    await alice.do("approve", room_id, bob)
    asked = ("room_update", {"member": {"user_id": bob.id, "state": "pending"}})
    assert asked in await bob.told(room_id)


async def test_an_invitation_is_as_good_as_an_approval(enter: Enter) -> None:
    """For who has it need not ask, and who has asked is let in by it."""
    alice, bob, carol = [await Person.come(enter, name) for name in ("alice", "bob", "carol")]
    room_id = await alice.make(require_approval=True)
    await alice.do("invite", room_id, bob)
    assert (await bob.call("join_room", room_id))["membership"]["state"] == "member"
    await carol.call("join_room", room_id)
    made = await alice.do("invite", room_id, carol)
    assert made["membership"]["state"] == "member"
    await carol.hears("join_room", room_id)
    await carol.say(room_id, "thanks")


async def test_there_has_to_be_room_for_who_is_let_in(enter: Enter) -> None:
    alice, bob = await Person.come(enter, "alice"), await Person.come(enter, "bob")
    room_id = await alice.make(require_approval=True, max_members=2)
    carol = await Person.come(enter, "carol")
    for guest in (bob, carol):
        await guest.call("join_room", room_id)
    await alice.do("approve", room_id, bob)
    assert await alice.refusal("approve", room_id, carol) == "room_full"
    await alice.do("update_room", room_id, changes={"settings": {"max_members": 3}})
    await alice.do("approve", room_id, carol)


# Added


async def test_who_is_added_is_in_on_every_device(enter: Enter, server: ServerProcess) -> None:
    """Without being asked; only by those who may invite."""
    alice, bob, carol = [await Person.come(enter, name) for name in ("alice", "bob", "carol")]
    phone = await bob.again()
    room_id = await alice.make(carol, kind="private")
    url = f"{server.url}/api/v1/rooms/{room_id}/members"
    async with aiohttp.ClientSession() as http:

        async def add(who: Person) -> tuple[int, Any]:
            headers = {
                "Authorization": f"Bearer {server.token(who.id)}",
                "Idempotency-Key": new_client_id(),
            }
            async with http.post(url, json={"user_id": bob.id}, headers=headers) as answer:
                return answer.status, await answer.json()

        assert (await add(carol))[0] == 403
        status, body = await add(alice)
        assert (status, body["membership"]["state"]) == (200, "member")
        assert await add(alice) == (status, body)
    rev = await alice.head(room_id)
    for device in (carol, bob, phone):
        row = await device.hears("join_room", room_id, lambda m: m["content"]["user_id"] == bob.id)
        assert row["content"]["by"] == alice.id
        assert row["content"]["reason"] == "invited"
    await alice.say(room_id, "welcome")
    for device in (bob, phone):
        assert (await device.hears_text(room_id, "welcome"))["rev"] == rev + 1
        assert device.system("invited") == []
