"""What one may not do is refused with a code that says why."""

import json
from typing import Any

import pytest

from tests.clients import Refused, new_client_id
from tests.e2e.door import NO_ROOM, Door

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_who_is_not_a_member_may_not(door: Door) -> None:
    """A stranger gets `forbidden` for a public room; any other is not there for her."""
    carol = await door.enter("carol")
    made = [
        await door.bob.call("create_room", name="Two", type=kind) for kind in ("private", "public")
    ]
    kept, public = (room["room"]["id"] for room in made)
    secrets = {room: (await door.bob.say(room, "secret"))["id"] for room in (kept, public)}
    content = {"text": "let me in"}
    asked: dict[str, dict[str, Any]] = {
        "typing": {"typing": True},
        "read": {"seq": 1},
        "members": {},
        "chat": {"client_id": new_client_id(), "content": content},
        "group": {"client_id": new_client_id(), "content": content},
    }
    for event, more in asked.items():
        answers = [await carol.ack(event, {"room_id": r, **more}) for r in (kept, NO_ROOM, public)]
        codes = [answer["error"]["code"] for answer in answers]
        assert codes == ["not_found", "not_found", "forbidden"], event
        assert answers[0]["error"]["message"] == answers[1]["error"]["message"]
    for event in ("history", "watch", "room"):
        hidden = [await carol.ack(event, {"room_id": room}) for room in (kept, NO_ROOM)]
        assert [answer["error"]["code"] for answer in hidden] == ["not_found"] * 2
        await carol.call(event, room_id=public)
    await carol.call("unwatch", room_id=public)
    joined = [await carol.ack("join_room", {"room_id": r}) for r in (kept, NO_ROOM)]
    assert [answer["error"]["code"] for answer in joined] == ["not_found"] * 2
    left = [await carol.ack("leave_room", {"room_id": r}) for r in (kept, NO_ROOM, public)]
    assert left == [{"ok": True, "data": {}}] * 3
    changes: dict[str, dict[str, Any]] = {
        "edit_message": {"content": content},
        "delete_message": {},
        "react": {"emoji": "👍", "on": True},
    }
    for event, more in changes.items():
        for message_id in (*secrets.values(), NO_ROOM):
            change = {"message_id": message_id, "client_id": new_client_id(), **more}
            ack = await carol.ack(event, change)
            assert ack["error"]["code"] == "not_found", event
            assert "secret" not in json.dumps(ack)
    synced = await carol.call("sync", rooms={kept: None, NO_ROOM: None, public: None})
    states = {room: part["state"] for room, part in synced["rooms"].items()}
    assert states == {kept: "gone", NO_ROOM: "gone", public: "denied"}
    for room, secret in secrets.items():
        history = await door.bob.call("history", room_id=room)
        assert history["messages"][-1]["id"] == secret
    await carol.close()


async def test_members_may_not_do_everything_either(door: Door) -> None:
    """Other people's messages, deleted ones, direct rooms and used client_ids have their codes."""
    gone = (await door.alice.say(door.room_id, "gone"))["id"]
    await door.alice.call("delete_message", message_id=gone, client_id=new_client_id())
    history = await door.alice.call("history", room_id=door.room_id)
    joined = next(m["id"] for m in history["messages"] if m["type"] == "join_room")
    said: dict[str, Any] = {"content": {"text": "psst"}}
    thumb: dict[str, Any] = {"emoji": "👍", "on": True}
    private = await door.alice.call("private", to="bob", client_id=new_client_id(), **said)
    direct = private["room_id"]
    cases: list[tuple[str, dict[str, Any], str]] = [
        ("edit_message", {"message_id": door.his, **said}, "forbidden"),
        ("edit_message", {"message_id": gone, **said}, "gone"),
        ("react", {"message_id": gone, **thumb}, "gone"),
        ("react", {"message_id": joined, **thumb}, "forbidden"),
        ("delete_message", {"message_id": joined}, "forbidden"),
        ("chat", {"room_id": direct, **said}, "forbidden"),
    ]
    for event, payload, code in cases:
        error = await door.refusal(event, {**payload, "client_id": new_client_id()})
        assert error["code"] == code, (event, payload)
    assert (await door.refusal("leave_room", {"room_id": direct}))["code"] == "forbidden"
    used = new_client_id()
    await door.alice.say(door.room_id, "once", used)
    with pytest.raises(Refused, match="client_id_reused"):
        await door.alice.say(door.room_id, "twice", used)
