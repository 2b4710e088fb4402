"""The rights in ``docs/protocol.md`` are those of `namespaces.chat.access`."""

from parley.namespaces.chat import access
from parley.storage.models import (
    Membership,
    MemberState,
    Role,
    Room,
    RoomId,
    RoomType,
    Timestamp,
    UserId,
)
from tests.protocol_document import bare, named, read

RIGHTS = read()["Roles and rights"][""]

KINDS = {
    access.EVERYWHERE: "all",
    access.DIRECT: "direct",
    access.SHARED: "all but direct",
}
ROLES = {
    access.EVERYONE: "members",
    access.STAFF: "owner, admins",
    access.OWNER: "owner",
}


def test_the_rights_are_those_of_the_code() -> None:
    documented = {bare(row[0]): row[1:] for row in RIGHTS.table("event")}
    assert list(documented) == list(access.RIGHTS)
    for event, right in access.RIGHTS.items():
        who = ROLES[right.roles]
        if right.roles_if_closed is not None:
            who += f"; in closed rooms {ROLES[right.roles_if_closed]}"
        assert documented[event] == [KINDS[right.types], who, "no" if right.speaks else "yes"]


def test_closed_rooms_are_those_of_the_code() -> None:
    """`private` ones, and public ones that are not listed."""
    member = _membership(MemberState.MEMBER)
    closed = {room_type for room_type in RoomType if not _may(member, "invite", _room(room_type))}
    assert closed == {RoomType.PRIVATE, RoomType.DIRECT}
    assert _may(member, "invite", _room(RoomType.PUBLIC))
    assert not _may(member, "invite", _room(RoomType.PUBLIC, is_private=True))
    assert not _may(member, "invite", _room(RoomType.PUBLIC, require_approval=True))


def test_what_those_outside_may_do_is_that_of_the_code() -> None:
    standings = [None, MemberState.INVITED, MemberState.PENDING, MemberState.BANNED]
    for row, state in zip(RIGHTS.table("you are"), standings, strict=True):
        assert bare(row[0]) == (state or "a stranger")
        for cell, room_type in zip(row[1:], (RoomType.PUBLIC, RoomType.PRIVATE), strict=True):
            membership = _membership(state) if state is not None else None
            room = _room(room_type, require_approval=True)
            assert named(cell) == access.allowed(room, membership, NOW)


NOW = Timestamp(0)


def _room(room_type: RoomType, **chosen: bool) -> Room:
    return Room(
        id=RoomId("0" * 24),
        name="Tea",
        type=room_type,
        owner=None,
        created_at=NOW,
        updated_at=NOW,
        epoch="0" * 8,
        settings=chosen,
    )


def _membership(state: MemberState) -> Membership:
    return Membership(
        room_id=RoomId("0" * 24),
        user_id=UserId("alice"),
        role=Role.MEMBER,
        state=state,
        visible_from_seq=0,
        joined_rev=1,
        joined_at=NOW,
        read_seq=0,
    )


def _may(membership: Membership, event: str, room: Room) -> bool:
    return event in access.allowed(room, membership, NOW)
