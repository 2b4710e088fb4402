"""The door lets in what the schemas say and nothing else (promise 17).

Whatever comes, there is an ack with a code and a pointer to the field; nothing is written, nothing
is logged as a failure, and no other client notices.
"""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from parley.namespaces.chat.events import ChatNamespace
from tests.clients import Refused, new_client_id
from tests.e2e.door import Door, Path_, Place, Raw, pointer, removed, replaced, text_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

EVENTS = sorted(ChatNamespace.events)
DEPTH = 200
NO_ROOM = "0" * 24

# Never right, wherever it is.
NOT_PLAIN = {
    "NaN": "NaN",
    "Infinity": "Infinity",
    "-Infinity": "-Infinity",
    "1e400": "1e400",
    "2^63": str(2**63),
    "2^64-1": str(2**64 - 1),
    "an integer no double holds": "1" + "0" * 400,
    "half a pair": r'"a\ud83d"',
    "the other half": r'"\udc0d"',
    "NUL": r'"a\u0000b"',
    "NUL in a name": r'{"a\u0000b":1}',
    "half a pair in a name": r'{"\ud83d":1}',
    "deep lists": "[" * DEPTH + "]" * DEPTH,
    "deep objects": '{"a":' * DEPTH + "1" + "}" * DEPTH,
}
# Not right where a scalar is expected.
NOT_SCALAR = {
    "operator": {"$gt": ""},
    "operator in a list": [{"$ne": None}],
    "regular expression": {"$regex": ".*", "$options": "s"},
    "fraction": 1.5,
    "negative": -1,
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def door(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Door]:
    async with Door.open(tmp_path_factory.mktemp("door")) as door:
        yield door


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
        *("kick", "ban", "sync\x00", "💥"),
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
    assert (error["code"], _pointers(error)) == ("invalid", [""])


@pytest.mark.parametrize("event", EVENTS)
async def test_a_payload_is_one(door: Door, event: str) -> None:
    text = text_of(door.valid(event))
    error = await door.refusal_of_text(f'["{event}",{text},{text}]')
    assert (error["code"], _pointers(error)) == ("invalid", [""])


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
    assert _pointers(rejected["error"]) == ["/content/text"]
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
    assert _pointers(notices[0]["error"]) == ["/client_id", "/content"]


# What is wrong with a field


@pytest.mark.parametrize("event", EVENTS)
async def test_a_field_too_many_is_named(door: Door, event: str) -> None:
    """In the payload, and in the content if it has one."""
    payload = door.valid(event)
    for path in [("surprise",), *([("content", "$where")] if "content" in payload else [])]:
        error = await door.refusal(event, replaced(payload, path, 1))
        assert (error["code"], _pointers(error)) == ("invalid", [pointer(path)])


REQUIRED = {
    "create_room": ["/name", "/type"],
    "join_room": ["/room_id"],
    "leave_room": ["/room_id"],
    "rooms": [],
    "chat": ["/room_id", "/client_id", "/content", "/content/image"],
    "group": ["/room_id", "/client_id", "/content", "/content/image"],
    "private": ["/to", "/client_id", "/content", "/content/text"],
    "edit_message": ["/message_id", "/client_id", "/content", "/content/text"],
    "delete_message": ["/message_id", "/client_id"],
    "react": ["/message_id", "/client_id", "/emoji", "/on"],
    "typing": ["/room_id", "/typing"],
    "read": ["/room_id", "/seq"],
    "history": ["/room_id"],
    "sync": ["/rooms"],
}


@pytest.mark.parametrize("event", EVENTS)
async def test_a_missing_field_is_named(door: Door, event: str) -> None:
    for path in REQUIRED[event]:
        payload = removed(door.valid(event), tuple(path[1:].split("/")))
        error = await door.refusal(event, payload)
        assert (error["code"], _pointers(error)) == ("invalid", [path])


@pytest.mark.parametrize("value", NOT_PLAIN.values(), ids=NOT_PLAIN)
@pytest.mark.parametrize("event", EVENTS)
async def test_what_is_not_plain_is_refused_at_every_field(
    door: Door, event: str, value: str
) -> None:
    for place in door.places(event):
        error = await door.refusal(event, replaced(door.valid(event), place.path, Raw(value)))
        assert error["code"] == "invalid"
        (found,) = _pointers(error)
        assert found.startswith(pointer(place.path)[:100]), place


@pytest.mark.parametrize("value", NOT_SCALAR.values(), ids=NOT_SCALAR)
@pytest.mark.parametrize("event", EVENTS)
async def test_what_is_no_scalar_is_refused_at_every_typed_field(
    door: Door, event: str, value: Any
) -> None:
    for place in door.places(event):
        if not place.free:
            error = await door.refusal(event, replaced(door.valid(event), place.path, value))
            assert error["code"] == "invalid"
            assert _at(error, place.path), (place, error)


WRONG = [
    ("create_room", "/name", ""),
    ("create_room", "/name", "x" * 81),
    ("create_room", "/type", "direct"),
    ("create_room", "/type", "secret"),
    ("create_room", "/description", "x" * 501),
    ("create_room", "/members", ["bob"] * 101),
    ("create_room", "/members/0", "bob smith"),
    ("create_room", "/members/0", "x" * 65),
    ("chat", "/room_id", "d-" + "0" * 31),
    ("chat", "/room_id", NO_ROOM + "\n"),
    ("chat", "/client_id", "short"),
    ("chat", "/client_id", "x" * 65),
    ("chat", "/client_id", "sys:" + "0" * 24),
    ("chat", "/client_id", "with space"),
    ("chat", "/content/text", ""),
    ("chat", "/content/text", "x" * 4_001),
    ("chat", "/content/text", "\U0001f600" * 4_001),
    ("chat", "/content/image", "javascript:alert(1)"),
    ("chat", "/content/image", "//example.org/cat.png"),
    ("chat", "/content/image", "https://example.org/" + "x" * 2_048),
    ("chat", "/content/image", "http://[::1"),
    ("chat", "/content/file", "file:///etc/passwd"),
    ("chat", "/content/message_type", "video"),
    ("chat", "/content/reply_to", NO_ROOM),
    ("chat", "/content/mentions", ["bob"] * 51),
    ("chat", "/content/metadata", {"a": "x" * 4_096}),
    ("chat", "/metadata", {"a": "é" * 2_048}),
    ("private", "/to", "alice"),
    ("private", "/to", "../etc/passwd"),
    ("react", "/emoji", ""),
    ("react", "/emoji", "x" * 33),
    ("react", "/on", "true"),
    ("react", "/on", 1),
    ("typing", "/typing", "yes"),
    ("typing", "/to", "bob"),
    ("read", "/seq", 2**53),
    ("read", "/seq", "1"),
    ("read", "/seq", True),
    ("history", "/limit", 0),
    ("history", "/limit", 201),
    ("history", "/after", 1),
    ("history", "/around", 1),
    ("join_room", "/since", "00000000"),
    ("join_room", "/since", "00000000.01"),
    ("join_room", "/since", "0000000g.1"),
    ("sync", "/rooms", {f"{n:024x}": None for n in range(501)}),
    ("sync", "/rooms/x", None),
    ("sync", "/rooms/" + NO_ROOM, "soon"),
]


@pytest.mark.parametrize(("event", "place", "value"), WRONG)
async def test_a_wrong_value_is_refused_where_it_is(
    door: Door, event: str, place: str, value: Any
) -> None:
    """Every limit, one beyond it."""
    path = tuple(int(step) if step.isdigit() else step for step in place[1:].split("/"))
    if event == "sync":
        path = tuple(place[1:].split("/"))
    error = await door.refusal(event, replaced(door.valid(event), path, value))
    assert error["code"] == "invalid"
    # Of two fields that exclude one another, either may be named.
    rivals = {"/to": ["/room_id"], "/after": ["/before"], "/around": ["/before"]}
    assert set(_pointers(error)) <= {place, *rivals.get(place, [])}


# What may not be done


async def test_who_is_not_a_member_may_not(door: Door) -> None:
    """Strangers are told `forbidden`, and `not_found` where there is nothing."""
    carol = await door.enter("carol")
    private = await door.bob.call("create_room", name="Two", type="private")
    kept = private["room"]["id"]
    secret = (await door.bob.say(kept, "secret"))["id"]
    cases: list[tuple[str, dict[str, Any], str]] = [
        ("join_room", {"room_id": kept}, "forbidden"),
        ("typing", {"room_id": kept, "typing": True}, "forbidden"),
        ("read", {"room_id": kept, "seq": 1}, "forbidden"),
        ("history", {"room_id": kept}, "forbidden"),
        ("join_room", {"room_id": NO_ROOM}, "not_found"),
        ("leave_room", {"room_id": NO_ROOM}, "not_found"),
        ("history", {"room_id": NO_ROOM}, "not_found"),
        ("read", {"room_id": NO_ROOM, "seq": 1}, "not_found"),
    ]
    content = {"text": "let me in"}
    for event in ("chat", "group"):
        said = {"client_id": new_client_id(), "content": content}
        cases.append((event, {"room_id": kept, **said}, "forbidden"))
        cases.append((event, {"room_id": NO_ROOM, **said}, "not_found"))
    changes: list[tuple[str, dict[str, Any]]] = [
        ("edit_message", {"content": content}),
        ("delete_message", {}),
        ("react", {"emoji": "👍", "on": True}),
    ]
    for event, more in changes:
        change = {"client_id": new_client_id(), **more}
        cases.append((event, {"message_id": secret, **change}, "forbidden"))
        cases.append((event, {"message_id": NO_ROOM, **change}, "not_found"))
    for event, payload, code in cases:
        ack = await carol.ack(event, payload)
        assert not ack["ok"], event
        assert ack["error"]["code"] == code, event
        assert "secret" not in json.dumps(ack)
    synced = await carol.call("sync", rooms={kept: None, NO_ROOM: None})
    assert synced["rooms"] == {kept: {"state": "denied"}, NO_ROOM: {"state": "gone"}}
    assert [m["id"] for m in (await door.bob.call("history", room_id=kept))["messages"]][
        -1
    ] == secret
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
        ("delete_message", {"message_id": door.his}, "forbidden"),
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


# Anything at all

_names = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)


@st.composite
def _hidden(draw: st.DrawFn) -> tuple[Path_, Any]:
    """Return something that is not plain, wrapped in things that are, and the path to it."""
    value: Any = Raw(draw(st.sampled_from([t for t in NOT_PLAIN.values() if t[0] not in "[{"])))
    path: Path_ = ()
    for _ in range(draw(st.integers(0, 6))):
        if draw(st.booleans()):
            name = draw(_names)
            value, path = {"a": 1, name: value}, (name, *path)
        else:
            value, path = [None, value], (1, *path)
    return path, value


def _examples(count: int) -> settings:
    return settings(max_examples=count, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@_examples(150)
@given(data=st.data(), hidden=_hidden())
async def test_nothing_that_is_not_plain_gets_by(
    door: Door, data: st.DataObject, hidden: tuple[Path_, Any]
) -> None:
    """However deep it is hidden, at whichever field: the pointer leads to the very place."""
    place = data.draw(st.sampled_from(_places(door)))
    inner, value = hidden
    payload = replaced(door.valid(place.event), place.path, value)
    error = await door.refusal(place.event, payload)
    assert (error["code"], _pointers(error)) == ("invalid", [pointer((*place.path, *inner))])


_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | _names
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_names, inner, max_size=3),
    max_leaves=10,
)  # fmt: skip


@_examples(250)
@given(data=st.data(), value=_json)
async def test_nothing_of_another_type_gets_by(door: Door, data: st.DataObject, value: Any) -> None:
    """A value of any other JSON type than the right one is refused where it is."""
    typed = [place for place in _places(door) if not place.free and place.path[0] != "rooms"]
    place = data.draw(st.sampled_from(typed))
    if type(value) is type(place.value):
        value = [value]  # a list for a scalar, a list for an object, a list in a list
    if isinstance(place.value, list) and value == []:
        value = None
    error = await door.refusal(place.event, replaced(door.valid(place.event), place.path, value))
    assert error["code"] == "invalid"
    assert _at(error, place.path), (place, error)


@_examples(250)
@given(name=st.sampled_from(EVENTS) | _names, arguments=st.lists(_json, max_size=3))
async def test_every_event_has_an_answer(door: Door, name: str, arguments: list[Any]) -> None:
    """Whatever its name and its arguments are."""
    ack = await door.alice.ack_text(json.dumps([name, *arguments]))
    if not ack["ok"]:
        assert ack["error"]["code"] in ("invalid", "unknown_event")
    assert door.logged == []


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
        ("[]", "unauthorized"),  # empty: as if there were none
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
    assert (await stranger.event("@connect_error"))["data"] == {"code": "not_found"}
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


def _places(door: Door) -> list[Place]:
    return [place for event in EVENTS for place in door.places(event)]


def _pointers(error: dict[str, Any]) -> list[str]:
    return [entry["pointer"] for entry in error["details"]["errors"]]


def _at(error: dict[str, Any], path: Path_) -> bool:
    """Whether an error is at the place or inside it."""
    return any(found.startswith(pointer(path)) for found in _pointers(error))
