"""What nodes tell one another: rows that only a node can have written, and nothing that breaks."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parley.namespaces.chat import announcements
from parley.namespaces.chat.announcements import (
    MOST_BYTES,
    Announcement,
    Announcements,
    Ephemeral,
    Written,
)
from parley.namespaces.chat.wire import Notice
from parley.namespaces.seal import Seal
from parley.storage.models import (
    ClientId,
    Message,
    MessageId,
    MessageType,
    Room,
    RoomId,
    RoomType,
    Timestamp,
    UserId,
)

ROOM = Room(
    id=RoomId("a" * 24),
    name="r",
    type=RoomType.PUBLIC,
    owner=UserId("ann"),
    created_at=Timestamp(0),
    updated_at=Timestamp(0),
    epoch="0123abcd",
)
SAID = Message(
    id=MessageId("b" * 24),
    room_id=ROOM.id,
    type=MessageType.CHAT,
    seq=6,
    rev=7,
    sender=UserId("ann"),
    client_id=ClientId("c" * 8),
    content={"text": "tea", "message_type": "text", "n": 2**53},
    metadata={"x": [1.5, None]},
    created_at=Timestamp(1),
    edited_at=Timestamp(2),
    reactions={"👍": (UserId("ann"), UserId("bob"))},
)
JOINED = replace(
    SAID, type=MessageType.JOIN_ROOM, content={"user_id": "bob"}, metadata=None, reactions={}
)
NODE = Announcements(Seal(b"k" * 32), server_id="one")


def told(payload: bytes) -> Announcement:
    said = announcements.read(payload)
    assert isinstance(said, Announcement)
    return said


def test_rows_come_back_as_they_were() -> None:
    rows = [
        SAID,
        replace(JOINED, rev=8),
        replace(SAID, rev=9, deleted=True, content={}, to=UserId("bob")),
    ]
    said = told(NODE.of(ROOM, 9, rows))
    assert (said.epoch, said.rev) == ("0123abcd", 9)
    other = Announcements(Seal(b"k" * 32), server_id="two")
    assert other.rows_in(ROOM, said) == Written("one", rows)


def test_rows_of_somebody_without_the_key_are_not_taken() -> None:
    said = told(NODE.of(ROOM, 7, [SAID]))
    stranger = Announcements(Seal(b"o" * 32), server_id="one")
    assert stranger.rows_in(ROOM, said) is None
    assert NODE.rows_in(ROOM, told(stranger.of(ROOM, 7, [SAID]))) is None


@pytest.mark.parametrize("at", [0, 5, 15, 16, 40, -1])
def test_rows_that_were_altered_are_not_taken(at: int) -> None:
    said = told(NODE.of(ROOM, 7, [SAID]))
    altered = bytearray(said.sealed)
    altered[at] ^= 1
    assert NODE.rows_in(ROOM, replace(said, sealed=bytes(altered))) is None


def test_rows_of_another_room_log_or_place_are_not_taken() -> None:
    said = told(NODE.of(ROOM, 7, [SAID]))
    assert NODE.rows_in(ROOM, said) == Written("one", [SAID])
    assert NODE.rows_in(replace(ROOM, id=RoomId("d" * 24)), said) is None
    assert NODE.rows_in(ROOM, replace(said, rev=8)) is None
    assert NODE.rows_in(ROOM, replace(said, epoch="0" * 8)) is None


def test_what_is_long_has_to_be_read() -> None:
    long = replace(SAID, content={"text": "x" * MOST_BYTES})
    assert NODE.of(ROOM, 7, [long]) == b"0123abcd.7"
    assert NODE.of(ROOM, 7, []) == b"0123abcd.7"
    assert Announcements(None, server_id="one").of(ROOM, 7, [SAID]) == b"0123abcd.7"


def test_what_is_at_most_once_comes_back_as_it_was() -> None:
    said = announcements.read(NODE.ephemeral(Notice.TYPING, {"typing": True}, skip=UserId("ann")))
    assert said == Ephemeral(NODE.origin, "typing", {"typing": True}, UserId("ann"))


@pytest.mark.parametrize(
    "payload",
    [
        *(b"", b"5", b'"method"', b"~", b"~5", b"~[]", b"~{", b"\xff\xfe", b".", b"0123abcd."),
        *(b"0123ABCD.7", b"0123abcd.-7", b"0123abcd.7.7", b"0123abcd.77777777777777777"),
        *(b'~["o","chat",{},null]', b'~["o","typing",[],null]', b'~["o","typing",{},5]'),
        b"~" + b"[" * 10_000,
        b'~["o","typing",{"x":' + b"[" * 300 + b"]" * 300 + b"},null]",
        rb'~["o","typing",{"x":"\u0000"},null]',
    ],
)
def test_what_no_node_wrote_says_nothing(payload: bytes) -> None:
    assert announcements.read(payload) is None


@given(st.binary(max_size=200))
def test_nothing_on_the_bus_raises(rest: bytes) -> None:
    for payload in (rest, b"~" + rest, b"0123abcd.7 " + rest):
        said = announcements.read(payload)
        if isinstance(said, Announcement):
            assert NODE.rows_in(ROOM, said) is None
