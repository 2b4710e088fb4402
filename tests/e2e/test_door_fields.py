"""The door lets in what the schemas say: every field, every limit, each wrong in every way.

An error has a pointer to the place, and nothing is written (promise 17).
"""

from typing import Any

import pytest

from parley.namespaces.chat.events import ChatNamespace
from parley.namespaces.paging import to_cursor
from tests.e2e.door import EVENTS, NO_ROOM, Door
from tests.e2e.payloads import (
    NOT_PLAIN,
    NOT_SCALAR,
    Raw,
    is_at,
    pointer,
    pointers_of,
    removed,
    replaced,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize("event", EVENTS)
async def test_a_field_too_many_is_named(door: Door, event: str) -> None:
    """In the payload, and in every object in it that is not the application's."""
    payload = door.valid(event)
    objects = [p for p in door.places(event) if isinstance(p.value, dict) and not p.free]
    # The rooms of a sync are named by their ids.
    inside = [(*place.path, "$where") for place in objects if place.path != ("rooms",)]
    for path in [("surprise",), *inside]:
        error = await door.refusal(event, replaced(payload, path, 1))
        assert (error["code"], pointers_of(error)) == ("invalid", [pointer(path)])


_ABOUT = ["/room_id", "/user_id", "/client_id"]

REQUIRED = {
    "create_room": ["/name", "/type"],
    "room": ["/room_id"],
    "rooms": [],
    "discover": [],
    "watch": ["/room_id"],
    "unwatch": ["/room_id"],
    "update_room": ["/room_id", "/client_id", "/changes"],
    "delete_room": ["/room_id", "/client_id"],
    "join_room": ["/room_id"],
    "leave_room": ["/room_id"],
    "members": ["/room_id"],
    "invite": _ABOUT,
    "approve": _ABOUT,
    "kick": _ABOUT,
    "ban": _ABOUT,
    "unban": _ABOUT,
    "mute": [*_ABOUT, "/muted_for_ms"],
    "set_role": [*_ABOUT, "/role"],
    "chat": ["/room_id", "/client_id", "/content", "/content/image"],
    "group": ["/room_id", "/client_id", "/content", "/content/image"],
    "private": ["/to", "/client_id", "/content", "/content/text"],
    "edit_message": ["/message_id", "/client_id", "/content", "/content/text"],
    "delete_message": ["/message_id", "/client_id"],
    "react": ["/message_id", "/client_id", "/emoji", "/on"],
    "typing": ["/room_id", "/typing"],
    "signal": ["/room_id", "/name"],
    "read": ["/room_id", "/seq"],
    "history": ["/room_id"],
    "sync": ["/rooms"],
}


@pytest.mark.parametrize("event", EVENTS)
async def test_a_missing_field_is_named(door: Door, event: str) -> None:
    for path in REQUIRED[event]:
        payload = removed(door.valid(event), tuple(path[1:].split("/")))
        error = await door.refusal(event, payload)
        assert (error["code"], pointers_of(error)) == ("invalid", [path])


@pytest.mark.parametrize("event", EVENTS)
async def test_what_is_not_required_may_be_missing(door: Door, event: str) -> None:
    """So that `REQUIRED` has all that is."""
    names = [p.path for p in door.places(event) if not isinstance(p.path[-1], int) and not p.free]
    for path in (path for path in names if pointer(path) not in REQUIRED[event]):
        if path[0] != "rooms":  # names of rooms, not of fields
            ChatNamespace.events[event].schema.load(removed(door.valid(event), path))


@pytest.mark.parametrize("value", NOT_PLAIN.values(), ids=NOT_PLAIN)
@pytest.mark.parametrize("event", EVENTS)
async def test_what_is_not_plain_is_refused_at_every_field(
    door: Door, event: str, value: str
) -> None:
    for place in door.places(event):
        error = await door.refusal(event, replaced(door.valid(event), place.path, Raw(value)))
        assert error["code"] == "invalid"
        (found,) = pointers_of(error)
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
            assert is_at(error, place.path), (place, error)


WRONG: list[tuple[str, str, Any]] = [
    ("create_room", "/name", ""),
    ("create_room", "/name", "x" * 81),
    ("create_room", "/type", "direct"),
    ("create_room", "/type", "secret"),
    ("create_room", "/name", " \t "),
    ("create_room", "/description", "x" * 501),
    ("create_room", "/description", ""),
    ("create_room", "/members", ["bob"] * 101),
    ("create_room", "/members/0", "bob smith"),
    ("create_room", "/members/0", "x" * 65),
    ("create_room", "/members", ["bob", "carol"]),  # with her, more than max_members
    ("create_room", "/settings/is_private", False),  # of a group
    *(
        (event, f"{settings}/{name}", value)
        for event, settings in (("create_room", "/settings"), ("update_room", "/changes/settings"))
        for name, value in (
            ("is_private", "yes"),
            ("is_private", 0),
            ("max_members", 1),
            ("max_members", 10_001),
            ("max_members", True),
            ("allowed_types", []),
            ("allowed_types", ["text", "image", "text"]),
            ("allowed_types", ["text", "image", "file", "file"]),
            ("allowed_types/0", "video"),
            ("mute_all", 1),
            ("require_approval", "false"),
            ("retention_days", 6),
            ("retention_days", 1),
            ("retention_days", 3_651),
            ("history_days", 7),
        )
    ),
    ("update_room", "/changes", {}),
    ("update_room", "/changes/name", ""),
    ("update_room", "/changes/name", " \n"),
    ("update_room", "/changes/name", "x" * 81),
    ("update_room", "/changes/description", "x" * 501),
    ("update_room", "/changes/type", "private"),
    ("update_room", "/if_rev", 2**53),
    ("update_room", "/if_rev", "1"),
    ("invite", "/user_id", "bob smith"),
    ("kick", "/user_id", "x" * 65),
    ("ban", "/user_id", ""),
    ("unban", "/client_id", "short"),
    ("approve", "/client_id", "sys:" + "0" * 24),
    ("mute", "/muted_for_ms", 366 * 24 * 3_600_000 + 1),
    ("mute", "/muted_for_ms", True),
    ("set_role", "/role", "boss"),
    ("set_role", "/role", "Owner"),
    ("members", "/state", "kicked"),
    ("members", "/limit", 0),
    ("members", "/limit", 201),
    ("rooms", "/limit", 0),
    ("rooms", "/limit", 1_001),
    ("discover", "/limit", 0),
    ("discover", "/limit", 101),
    ("discover", "/q", "x" * 81),
    *(
        (event, "/cursor", cursor)
        for event in ("members", "rooms", "discover")
        for cursor in (
            *("", "x" * 513, "no cursor", "bm90", "a", "////", "gICA"),
            # Made as the server makes them, but not for this list.
            *(to_cursor(), to_cursor("a", "b", "c"), to_cursor("a\0", "b"), to_cursor("\0")),
        )
    ),
    ("members", "/cursor", to_cursor("a", "b")),
    ("rooms", "/cursor", to_cursor("a", "b")),
    ("discover", "/cursor", to_cursor("a")),
    ("watch", "/since", "soon"),
    ("signal", "/name", ""),
    ("signal", "/name", "x" * 65),
    ("signal", "/name", "a b"),
    ("signal", "/name", "a\n"),
    ("signal", "/data", "x" * 4_095),
    ("signal", "/data", {"a": ["é" * 2_048]}),
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
    assert set(pointers_of(error)) <= {place, *rivals.get(place, [])}
