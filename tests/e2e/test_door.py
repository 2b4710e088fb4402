"""The door: whatever comes as an event, there is an ack, and who may come in at all.

Nothing of what is refused is written or logged as a failure, and no other client notices.
"""

import json
from typing import Any

import pytest

from tests.clients import new_client_id
from tests.e2e.door import EVENTS, NO_ROOM, Door
from tests.e2e.payloads import (
    Raw,
    pointers_of,
    text_of,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

# What is right


@pytest.mark.parametrize("event", EVENTS)
async def test_a_valid_payload_with_every_field_is_accepted(door: Door, event: str) -> None:
    """So that what is refused below is refused for the one thing that is wrong with it."""
    client = await door.enter("bob" if event == "leave_room" else "alice")
    assert (await client.ack(event, door.valid(event)))["ok"]
    await client.close()
    await door.bob.call("join_room", room_id=door.room_id)
    if event == "delete_message":
        door.mine = (await door.alice.say(door.room_id, "mine"))["id"]


# What is wrong with an event as a whole


@pytest.mark.parametrize(
    "name",
    [
        *("connect", "disconnect", "connect_error", "trigger_event", "__class__", "events"),
        *("admitted", "receive", "drain", "_handle", "create", "CHAT", "chat ", "", "a" * 10_000),
        *("leave", "Ban", "sync\x00", "💥"),
    ],
)
async def test_an_unknown_event_is_told_so(door: Door, name: str) -> None:
    """Nothing is called by its name but what is in the table."""
    error = await door.refusal(name, {"room_id": door.room_id})
    assert error["code"] == "unknown_event"
    assert not error["retryable"]


@pytest.mark.parametrize("text", ["[]", "[1]", "[null,{}]", '[["chat"],{}]', '[{"chat":1}]'])
async def test_an_event_without_a_name_is_unknown(door: Door, text: str) -> None:
    assert (await door.refusal_of_text(text))["code"] == "unknown_event"


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("payload", ["null", "true", "5", '"text"', "[]", "[{}]"])
async def test_a_payload_is_an_object(door: Door, event: str, payload: str) -> None:
    error = await door.refusal_of_text(f'["{event}",{payload}]')
    assert (error["code"], pointers_of(error)) == ("invalid", [""])


@pytest.mark.parametrize("event", EVENTS)
async def test_a_payload_is_one(door: Door, event: str) -> None:
    text = text_of(door.valid(event))
    error = await door.refusal_of_text(f'["{event}",{text},{text}]')
    assert (error["code"], pointers_of(error)) == ("invalid", [""])


@pytest.mark.parametrize("event", EVENTS)
async def test_an_event_is_at_most_64_kib(door: Door, event: str) -> None:
    """What is larger is told so, whatever else is wrong with it; what is huge ends its sender."""
    for more in ("x" * 65_536, "é" * 33_000):
        error = await door.refusal(event, {**door.valid(event), "more": Raw(f'"{more}"')})
        assert error["code"] == "too_large"


async def test_a_frame_beyond_the_limit_ends_its_sender_alone(door: Door) -> None:
    mallory = await door.enter("mallory")
    await mallory.emit("chat", {"text": "x" * 1_100_000})
    await mallory.event("@disconnect")
    await mallory.close()
    assert door.alice.of("@disconnect") == door.bob.of("@disconnect") == []


async def test_binary_data_is_invalid_where_it_is(door: Door) -> None:
    """A binary event is put together and refused like any other."""
    mallory = await door.enter("bob")
    content = {"text": {"_placeholder": True, "num": 0}}
    payload = {"room_id": door.room_id, "client_id": new_client_id(), "content": content}
    await mallory.send_frame(f'451-/chat,["chat",{json.dumps(payload)}]')
    await mallory.send_frame(b"\x00\x01")
    rejected = await mallory.event("system", lambda data: data["code"] == "rejected")
    assert rejected["event"] == "chat"
    assert rejected["error"]["code"] == "invalid"
    assert pointers_of(rejected["error"]) == ["/content/text"]
    await mallory.close()


async def test_an_error_nobody_waits_for_is_a_notice(door: Door) -> None:
    """Without an ack asked for, a refusal comes as ``system``, and success is silent."""
    mark = len(door.alice.events)
    await door.alice.emit("chat", {"room_id": NO_ROOM})
    await door.alice.emit("nothing of the kind", {})
    await door.alice.emit("typing", {"room_id": door.room_id, "typing": True})
    await door.alice.call("rooms")
    notices = [data for name, data in door.alice.events[mark:] if name == "system"]
    assert [(n["code"], n["event"], n["error"]["code"]) for n in notices] == [
        ("rejected", "chat", "invalid"),
        ("rejected", "nothing of the kind", "unknown_event"),
    ]
    assert pointers_of(notices[0]["error"]) == ["/client_id", "/content"]


# How one gets in


async def test_since_may_be_its_json_text(door: Door) -> None:
    """Where a client's ``auth`` holds only strings, cursors come as one."""
    since: Any = json.dumps({door.room_id: door.room["sync"]["upto"]})
    client = await door.enter("alice", since=since)
    (synced,) = client.of("sync")
    assert synced["rooms"][door.room_id]["state"] == "ok"
    await client.close()


@pytest.mark.parametrize(
    ("auth", "code"),
    [
        ("[]", "invalid"),
        ('"token"', "invalid"),
        ("5", "unauthorized"),  # digits are an id
        ('{"token":["x"]}', "unauthorized"),
        ('{"token":{"$gt":""}}', "unauthorized"),
    ],
)
async def test_auth_of_another_shape_is_refused(door: Door, auth: str, code: str) -> None:
    stranger = await door.stranger().open(door.url)
    await stranger.send_message(f"0/chat,{auth}")
    assert (await stranger.event("@connect_error"))["data"]["code"] == code
    await stranger.close()
    assert door.logged == []


@pytest.mark.parametrize("namespace", ["/admin,", "/chat/admin,", ""])
async def test_there_is_no_other_namespace(door: Door, namespace: str) -> None:
    stranger = await door.stranger().open(door.url)
    await stranger.send_message(f'0{namespace}{{"token":"{door.token("alice")}"}}')
    assert (await stranger.event("@connect_error"))["data"] == {
        "code": "not_found",
        "retryable": False,
    }
    await stranger.close()


async def test_a_connection_belongs_to_its_first_user(door: Door) -> None:
    """Who left may come in again, also without her token, but not as somebody else."""
    bob = await door.enter("bob")
    for auth, refused in (
        ("{}", None),
        (f'{{"token":"{door.token("alice")}"}}', "identity_mismatch"),
        (f'{{"token":"{door.token("bob")}"}}', None),
    ):
        mark = len(bob.events)
        await bob.send_message("1/chat,")
        await bob.send_message(f"0/chat,{auth}")
        if refused is None:
            await bob.ready(after=mark)
            assert (await bob.call("rooms"))["rooms"]
        else:
            assert (await bob.event("@connect_error"))["data"]["code"] == refused
    assert bob.of("@disconnect") == []
    await bob.close()


async def test_whoever_is_in_cannot_come_in_again(door: Door) -> None:
    """A second CONNECT breaks the protocol, with whosever token."""
    for name in ("bob", "alice"):
        bob = await door.enter("bob")
        greeted = len(bob.events)
        await bob.send_message(f'0/chat,{{"token":"{door.token(name)}"}}')
        gone = await bob.event("@disconnect")
        assert gone["code"] == 1002
        assert [event for event, _ in bob.events[greeted:]] == ["@disconnect"]
        await bob.close()
