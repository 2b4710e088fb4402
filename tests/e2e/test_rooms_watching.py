"""Following a listed room without being a member, and what members hear that nobody else does."""

import asyncio
from typing import Any

import pytest

from tests.clients import Lost, new_client_id
from tests.e2e.people import Person
from tests.e2e.stock import Enter, both_languages
from tests.servers import ServerProcess

pytestmark = [pytest.mark.asyncio(loop_scope="module"), both_languages]


@pytest.fixture
def server(shared_server: ServerProcess) -> ServerProcess:
    return shared_server


async def test_a_watcher_hears_what_is_said(enter: Enter) -> None:
    """And nothing of who types, has read or signals; she says nothing herself."""
    alice, bob, carol = [await Person.come(enter, name) for name in ("alice", "bob", "carol")]
    phone = await bob.again()
    room_id = await alice.make(bob)
    await phone.call("join_room", room_id)
    first = await alice.say(room_id, "before")
    watched = await carol.call("watch", room_id)
    assert "membership" not in watched
    assert "members" not in watched["room"]
    assert set(watched["can"]) == {"join_room", "watch", "room", "history"}
    part = watched["sync"]
    assert part["events"][-1]["id"] == first["id"]
    assert not {"read_seq", "unread", "mentions"} & set(part)
    await bob.call("typing", room_id, typing=True)
    await bob.call("signal", room_id, name="cursor", data={"line": 3})
    await bob.call("read", room_id, seq=first["seq"])
    await alice.say(room_id, "hello")
    heard = await carol.hears_text(room_id, "hello")
    assert heard == await bob.hears_text(room_id, "hello")
    await carol.io.call("rooms")
    assert carol.heard(room_id, "typing", "signal", "read") == []
    for device in (alice, phone):
        signal = await device.hears("signal", room_id)
        assert signal == {
            "room_id": room_id,
            "user_id": bob.id,
            "name": "cursor",
            "data": {"line": 3},
        }
    assert bob.heard(room_id, "signal") == []
    asked: dict[str, dict[str, Any]] = {
        "typing": {"typing": True},
        "signal": {"name": "cursor"},
        "read": {"seq": 1},
        "members": {},
    }
    for event, more in asked.items():
        assert await carol.refused(event, room_id=room_id, **more) == "forbidden", event
    assert await carol.silence(room_id) == "forbidden"
    assert (await carol.io.call("rooms"))["rooms"] == []


@pytest.mark.parametrize("data", [None, 0, "text", [1, {"a": None}], {"é": "👍"}])
async def test_a_signal_carries_any_json(enter: Enter, data: Any) -> None:
    alice, bob = await Person.come(enter, "alice"), await Person.come(enter, "bob")
    room_id = await alice.make(bob)
    assert await alice.call("signal", room_id, name="a.b:c-d_e", data=data) == {}
    assert (await bob.hears("signal", room_id))["data"] == data
    await alice.call("signal", room_id, name="bare")
    bare = await bob.hears("signal", room_id, lambda signal: signal["name"] == "bare")
    assert bare == {"room_id": room_id, "user_id": alice.id, "name": "bare"}


async def test_watching_goes_on_where_it_was(enter: Enter) -> None:
    """It ends with the socket; the next one watches from the cursor, and has every row once."""
    alice, carol = await Person.come(enter, "alice"), await Person.come(enter, "carol")
    room_id = await alice.make()
    cursor = (await carol.call("watch", room_id))["sync"]["upto"]
    await alice.say(room_id, "live")
    live = await carol.hears_text(room_id, "live")
    cursor = f"{cursor.partition('.')[0]}.{live['rev']}"
    await carol.io.close()
    await alice.say(room_id, "missed")
    back = await carol.again(since={room_id: cursor})
    assert back.io.of("sync")[-1]["rooms"] == {room_id: {"state": "denied"}}
    await alice.say(room_id, "missed, too")
    part = (await back.call("watch", room_id, since=cursor))["sync"]
    assert (part["state"], part["more"]) == ("ok", False)
    assert [row["content"]["text"] for row in part["events"]] == ["missed", "missed, too"]
    await alice.say(room_id, "live again")
    live = await back.hears_text(room_id, "live again")
    assert live["rev"] == part["head"] + 1
    assert [row["rev"] for row in back.heard(room_id, "chat")] == [live["rev"]]


async def test_there_is_no_seam_between_sync_and_live(enter: Enter) -> None:
    """Whatever is said while she begins to watch, or joins as a watcher, she has once."""
    alice, carol = await Person.come(enter, "alice"), await Person.come(enter, "carol")
    room_id = await alice.make()
    enough = asyncio.Event()

    async def chatter() -> None:
        while not enough.is_set():
            content = {"text": "and"}
            said = [{"room_id": room_id, "content": content} for _ in range(10)]
            await alice.io.burst(("chat", {**one, "client_id": new_client_id()}) for one in said)

    talking = asyncio.create_task(chatter())
    await alice.hears_text(room_id, "and")
    for event in ("watch", "join_room"):
        mark = len(carol.io.events)
        upto = (await carol.call(event, room_id))["sync"]["upto"]
        while len(carol.io.events) < mark + 50:
            await carol.io.event("chat", after=len(carol.io.events))
        # What comes after the ack is exactly what is missing in it.
        began = int(upto.partition(".")[2])
        revs = [data["rev"] for _, data in carol.io.events[mark:] if data["rev"] > began]
        assert revs == [*range(began + 1, began + 1 + len(revs))]
    enough.set()
    await talking


async def test_a_watcher_becomes_a_member_and_is_none_when_she_leaves(enter: Enter) -> None:
    """On the device that joins and on the one that only watched."""
    alice, carol = await Person.come(enter, "alice"), await Person.come(enter, "carol")
    phone = await carol.again()
    room_id = await alice.make()
    for device in (carol, phone):
        await device.call("watch", room_id)
    joined = await carol.call("join_room", room_id)
    assert joined["sync"]["read_seq"] == joined["sync"]["head"]
    row = await phone.hears("join_room", room_id)
    assert row["content"] == {"user_id": carol.id, "role": "member", "reason": "joined"}
    await alice.say(room_id, "one")
    await alice.call("signal", room_id, name="members")
    for device in (carol, phone):
        await device.hears("signal", room_id)
        assert len(device.heard(room_id, "chat")) == 1
    await carol.call("leave_room", room_id)
    await alice.say(room_id, "two")
    for device in (carol, phone):
        await device.io.call("rooms")
        assert [name for name, _ in device.io.events].count("leave_room") == 1
        assert len(device.heard(room_id, "chat")) == 1
        synced = await device.io.call("sync", rooms={room_id: None})
        assert synced["rooms"] == {room_id: {"state": "denied"}}


async def test_watching_ends_with_the_row_that_closes_the_room(enter: Enter) -> None:
    """Which is the last that a watcher hears; invitations and requests do not help."""
    alice, bob, carol = [await Person.come(enter, name) for name in ("alice", "bob", "carol")]
    room_id = await alice.make(bob)
    cursor = (await carol.call("watch", room_id))["sync"]["upto"]
    await alice.do("invite", room_id, carol)
    await alice.do("update_room", room_id, changes={"settings": {"is_private": True}})
    await alice.say(room_id, "among us")
    await bob.hears_text(room_id, "among us")
    row = await carol.hears("room_update", room_id, lambda data: "changed" in data["content"])
    assert row["content"] == {"changed": {"settings": {"is_private": True}}}
    synced = await carol.io.call("sync", rooms={room_id: cursor})
    assert synced["rooms"] == {room_id: {"state": "gone"}}
    assert carol.heard(room_id, "chat") == []
    assert await carol.refused("watch", room_id=room_id) == "forbidden"  # she is invited
    assert await carol.refused("history", room_id=room_id) == "forbidden"
    # Opened again it is watched by those only who ask again.
    await alice.do("update_room", room_id, changes={"settings": {"is_private": False}})
    await alice.say(room_id, "open again")
    await bob.hears_text(room_id, "open again")
    synced = await carol.io.call("sync", rooms={room_id: cursor})
    assert synced["rooms"] == {room_id: {"state": "denied"}}
    assert carol.heard(room_id, "chat") == []


async def test_watching_ends_with_a_ban(enter: Enter) -> None:
    alice, carol = await Person.come(enter, "alice"), await Person.come(enter, "carol")
    phone = await carol.again()
    room_id = await alice.make()
    for device in (carol, phone):
        await device.call("watch", room_id)
    await alice.do("ban", room_id, carol)
    await alice.say(room_id, "gone?")
    await alice.hears_text(room_id, "gone?")
    for device in (carol, phone):
        synced = await device.io.call("sync", rooms={room_id: None})
        assert synced["rooms"] == {room_id: {"state": "denied"}}
        assert [row["content"]["reason"] for row in device.heard(room_id, "leave_room")] == [
            "banned"
        ]
        assert device.heard(room_id, "chat") == []
        assert await device.refused("watch", room_id=room_id) == "forbidden"
    await alice.do("unban", room_id, carol)
    await carol.call("watch", room_id)


async def test_watching_ends_when_she_says_so(enter: Enter) -> None:
    """On that device only; a member stays one."""
    alice, bob, carol = [await Person.come(enter, name) for name in ("alice", "bob", "carol")]
    phone = await carol.again()
    room_id = await alice.make(bob)
    for device in (carol, phone, bob):
        await device.call("watch", room_id)
    for device in (carol, bob):
        assert await device.call("unwatch", room_id) == {}
        assert await device.call("unwatch", room_id) == {}
    await alice.say(room_id, "still there?")
    for device in (phone, bob):
        await device.hears_text(room_id, "still there?")
    synced = await carol.io.call("sync", rooms={room_id: None})
    assert synced["rooms"] == {room_id: {"state": "denied"}}
    assert carol.heard(room_id, "chat") == []


async def test_who_waits_may_watch_a_listed_room_meanwhile(enter: Enter) -> None:
    """She goes on when her request is refused, and hears of it once."""
    alice, carol = await Person.come(enter, "alice"), await Person.come(enter, "carol")
    room_id = await alice.make(require_approval=True)
    await carol.call("watch", room_id)
    assert (await carol.call("join_room", room_id))["membership"]["state"] == "pending"
    await alice.say(room_id, "one")
    await carol.hears_text(room_id, "one")
    await alice.do("kick", room_id, carol)
    await alice.say(room_id, "two")
    await carol.hears_text(room_id, "two")
    (row,) = carol.heard(room_id, "leave_room")
    assert row["content"]["was"] == "pending"


async def test_one_socket_watches_a_hundred_rooms(enter: Enter) -> None:
    """One more is refused until it watches one less, also where that one is deleted."""
    alice, carol = await Person.come(enter, "alice"), await Person.come(enter, "carol")
    making = [("create_room", {"name": str(number), "type": "public"}) for number in range(102)]
    rooms = [_data(ack)["room"]["id"] for ack in await alice.io.burst(making)]
    watching = [("watch", {"room_id": room_id}) for room_id in rooms[:100]]
    for ack in await carol.io.burst(watching):
        _data(ack)
    assert await carol.refused("watch", room_id=rooms[100]) == "forbidden"
    await carol.call("watch", rooms[0])  # it does already
    await carol.call("join_room", rooms[101])  # which is no watching
    await carol.call("unwatch", rooms[0])
    await carol.call("watch", rooms[100])
    assert await carol.refused("watch", room_id=rooms[0]) == "forbidden"
    await alice.do("delete_room", rooms[1])
    await carol.call("unwatch", rooms[1])
    await carol.call("watch", rooms[0])
    phone = await carol.again()
    await phone.call("watch", rooms[2])


def _data(ack: dict[str, Any] | Lost) -> Any:
    assert not isinstance(ack, Lost)
    assert ack["ok"], ack
    return ack["data"]
