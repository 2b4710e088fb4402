"""The main job, as stock clients see it."""

import asyncio

import pytest

from tests.clients import Refused, new_client_id
from tests.conftest import Connect


async def test_what_one_says_the_other_hears(connect: Connect) -> None:
    """Two people in a public room see the same message, its sender with an ack."""
    alice, bob = await connect("alice"), await connect("bob")
    created = await alice.call("create_room", name="Tea", type="public")
    room_id = created["room"]["id"]
    joined = await bob.call("join_room", room_id=room_id)
    assert joined["room"]["member_count"] == 2
    receipt = await alice.say(room_id, "hello")
    heard = await bob.event("chat")
    own = await alice.event("chat")
    assert heard == own
    assert heard["content"] == {"text": "hello", "message_type": "text"}
    assert (heard["id"], heard["seq"], heard["from"]) == (receipt["id"], receipt["seq"], "alice")


async def test_a_retry_stores_nothing_and_gets_the_first_ack(connect: Connect) -> None:
    """The same client_id again gets the same place, another text under it is refused."""
    alice = await connect("alice")
    room_id = (await alice.call("create_room", name="Tea", type="public"))["room"]["id"]
    client_id = new_client_id()
    first = await alice.say(room_id, "once", client_id)
    again = await alice.say(room_id, "once", client_id)
    assert again == {**first, "duplicate": True}
    with pytest.raises(Refused, match="client_id_reused"):
        await alice.say(room_id, "twice", client_id)
    history = await alice.call("history", room_id=room_id)
    assert [m["content"]["text"] for m in history["messages"] if m["type"] == "chat"] == ["once"]


async def test_a_burst_keeps_its_order(connect: Connect) -> None:
    """Events sent without waiting for acks take their places in the order they were sent."""
    alice = await connect("alice")
    room_id = (await alice.call("create_room", name="Tea", type="public"))["room"]["id"]
    receipts = await asyncio.gather(*(alice.say(room_id, str(n)) for n in range(300)))
    seqs = [receipt["seq"] for receipt in receipts]
    assert seqs == list(range(seqs[0], seqs[0] + 300))
    await alice.event("chat", lambda data: data["seq"] == seqs[-1])
    assert [data["seq"] for data in alice.of("chat")] == seqs


async def test_coming_back_brings_exactly_what_was_missed(connect: Connect) -> None:
    """A client that resumes from its cursor gets every change since, in its final state."""
    alice, bob = await connect("alice"), await connect("bob")
    created = await alice.call("create_room", name="Tea", type="public")
    room_id = created["room"]["id"]
    first = await alice.say(room_id, "first")
    cursor = (await bob.call("join_room", room_id=room_id))["sync"]["upto"]
    await bob.close()
    second = await alice.say(room_id, "second")
    await alice.call(
        "edit_message",
        message_id=first["id"],
        client_id=new_client_id(),
        content={"text": "first, edited"},
    )
    await alice.call(
        "react", message_id=second["id"], client_id=new_client_id(), emoji="👍", on=True
    )
    back = await connect("bob", since={room_id: cursor})
    (synced,) = back.of("sync")
    missed = synced["rooms"][room_id]
    assert missed["state"] == "ok"
    assert not missed["more"]
    texts = [(m["content"]["text"], m.get("reactions")) for m in missed["events"]]
    reaction = [{"emoji": "👍", "count": 1, "users": ["alice"]}]
    assert texts == [("first, edited", None), ("second", reaction)]
    await alice.say(room_id, "third")
    live = await back.event("chat")
    assert live["content"]["text"] == "third"
    assert "prev" not in live
    assert live["rev"] == missed["head"] + 1


async def test_offline_messages_are_the_unread_part_of_the_log(connect: Connect) -> None:
    """A client without state gets what its user has not read, and a count that is right."""
    alice, bob = await connect("alice"), await connect("bob")
    created = await alice.call("create_room", name="Tea", type="public")
    room_id = created["room"]["id"]
    await bob.call("join_room", room_id=room_id)
    read = await alice.say(room_id, "read")
    assert await bob.call("read", room_id=room_id, seq=read["seq"]) == {
        "read_seq": read["seq"],
        "unread": 0,
    }
    await bob.close()
    content = {"text": "@bob unread", "mentions": ["bob"]}
    await alice.call("chat", room_id=room_id, client_id=new_client_id(), content=content)
    back = await connect("bob")
    (synced,) = back.of("sync")
    part = synced["rooms"][room_id]
    assert [m["content"]["text"] for m in part["events"]] == ["@bob unread"]
    assert (part["unread"], part["mentions"]) == (1, 1)


async def test_private_messages_need_no_set_up(connect: Connect) -> None:
    """The first private message makes the room of two; the other one is called into it."""
    alice, bob = await connect("alice"), await connect("bob")
    content = {"text": "psst"}
    receipt = await alice.call("private", to="bob", client_id=new_client_id(), content=content)
    behind = await bob.event("room_behind")
    assert behind["room_id"] == receipt["room_id"]
    synced = await bob.call("sync", rooms={receipt["room_id"]: None})
    part = synced["rooms"][receipt["room_id"]]
    assert [m["content"]["text"] for m in part["events"] if m["type"] == "private"] == ["psst"]
    answer = await bob.call(
        "private", to="alice", client_id=new_client_id(), content={"text": "what?"}
    )
    assert answer["room_id"] == receipt["room_id"]
    heard = await alice.event("private", lambda data: data["from"] == "bob")
    assert heard["to"] == "alice"


async def test_leaving_ends_it_and_the_room_goes_on(connect: Connect) -> None:
    """Who leaves hears her own leave and nothing more; the oldest member inherits the room."""
    alice, bob = await connect("alice"), await connect("bob")
    created = await alice.call("create_room", name="Tea", type="public")
    room_id = created["room"]["id"]
    await bob.call("join_room", room_id=room_id)
    assert await alice.call("leave_room", room_id=room_id) == {}
    left = await bob.event("leave_room")
    assert left["content"] == {"user_id": "alice", "reason": "left", "owner": "bob"}
    await alice.event("leave_room")
    await bob.say(room_id, "alone")
    with pytest.raises(Refused, match="forbidden"):
        await alice.say(room_id, "let me in")
    assert alice.of("chat") == []
    mine = (await bob.call("rooms"))["rooms"]
    assert [(r["room"]["owner"], r["membership"]["role"]) for r in mine] == [("bob", "owner")]


async def test_typing_reaches_the_others_only(connect: Connect) -> None:
    """A typing sign goes to the room but not to its sender's own devices."""
    alice, phone, bob = await connect("alice"), await connect("alice"), await connect("bob")
    room_id = (await alice.call("create_room", name="Tea", type="public"))["room"]["id"]
    await bob.call("join_room", room_id=room_id)
    await alice.call("typing", room_id=room_id, typing=True)
    sign = await bob.event("typing")
    assert sign == {
        "room_id": room_id,
        "user_id": "alice",
        "typing": True,
        "expires_in_ms": 12_000,
    }
    await alice.say(room_id, "done")
    await bob.event("chat")
    assert alice.of("typing") == phone.of("typing") == []
