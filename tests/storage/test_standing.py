"""What rows about people fold into: invitations, requests, bans, mutes, roles, and who owns it."""

from typing import Any

import pytest

from parley.storage.models import Draft, MemberState, Role, RoomType, Timestamp
from tests.storage.drafts import (
    ANN,
    BOB,
    EVE,
    append,
    banned,
    joined,
    left,
    member,
    membership,
    new_room,
    said,
    snapshot,
)
from tests.storage.stores import Store

INSIDE = (ANN, BOB)

VISIBLE: list[
    tuple[RoomType, dict[str, Any], int]
] = [  # type, settings, visible_from_seq of who joins at position 4
    (RoomType.PUBLIC, {}, 0),
    (RoomType.PUBLIC, {"is_private": False}, 0),
    (RoomType.PUBLIC, {"is_private": True}, 4),
    (RoomType.PRIVATE, {}, 4),
    (RoomType.GROUP, {}, 4),
    (RoomType.DIRECT, {}, 0),
]


@pytest.mark.parametrize("state", ["invited", "pending"])
async def test_who_waits_is_not_inside(store: Store, state: str) -> None:
    """Somebody invited, or who asked, has a membership that counts for nothing else."""
    room_id = await new_room(store, *INSIDE)
    await append(store, room_id, member(ANN, EVE, state=state))
    eve = await membership(store, room_id, EVE)
    assert (eve.state, eve.role, eve.joined_rev) == (MemberState(state), Role.MEMBER, 3)
    assert not eve.is_member
    assert list(await store.members.of_user(EVE)) == []
    assert await store.members.count(EVE) == 0
    await append(store, room_id, said(ANN))
    assert await store.members.mark_read(room_id, EVE, 4) == 0
    assert await membership(store, room_id, EVE) == eve
    assert (await snapshot(store, room_id)).members[-1] == eve


@pytest.mark.parametrize("state", ["invited", "pending"])
async def test_who_waits_becomes_a_member_by_joining(store: Store, state: str) -> None:
    """The membership begins anew with the join row."""
    room_id = await new_room(store, *INSIDE)
    await append(store, room_id, member(ANN, EVE, state=state), said(ANN), joined(EVE))
    eve = await membership(store, room_id, EVE)
    assert (eve.state, eve.joined_rev, eve.visible_from_seq) == (MemberState.MEMBER, 5, 5)


@pytest.mark.parametrize("state", ["invited", "pending"])
async def test_a_declined_invitation_leaves_nothing(store: Store, state: str) -> None:
    """A leave of who waits, by herself or by others, ends it."""
    room_id = await new_room(store, *INSIDE)
    await append(store, room_id, member(ANN, EVE, state=state), left(EVE, was=state))
    assert await store.members.get(room_id, EVE) is None


@pytest.mark.parametrize("before", [joined(EVE), member(ANN, EVE, state="invited"), None])
async def test_a_banned_user_is_out_and_remembered(store: Store, before: Draft | None) -> None:
    """Members, invited and strangers can be banned."""
    room_id = await new_room(store, *INSIDE)
    rows = [before, banned(ANN, EVE)] if before else [banned(ANN, EVE)]
    await append(store, room_id, *rows)
    eve = await membership(store, room_id, EVE)
    assert (eve.state, eve.joined_rev) == (MemberState.BANNED, 2 + len(rows))
    assert await store.members.count(EVE) == 0


async def test_an_unbanned_user_is_a_stranger(store: Store) -> None:
    """Nothing is left of the ban, and she may join again."""
    room_id = await new_room(store, *INSIDE)
    await append(store, room_id, joined(EVE), banned(ANN, EVE), member(ANN, EVE))
    assert await store.members.get(room_id, EVE) is None
    await append(store, room_id, joined(EVE))
    assert (await membership(store, room_id, EVE)).joined_rev == 6


async def test_a_mute_lasts_from_its_row_on(store: Store) -> None:
    """``muted_until`` follows from the row's own time; 0 ends it; nothing else changes."""
    room_id = await new_room(store, *INSIDE)
    before = await membership(store, room_id, BOB)
    (row,) = await append(store, room_id, member(ANN, BOB, muted_for_ms=60_000))
    muted = await membership(store, room_id, BOB)
    assert muted.muted_until == Timestamp(row.created_at + 60_000)
    await append(store, room_id, member(ANN, BOB, muted_for_ms=0))
    assert await membership(store, room_id, BOB) == before


async def test_a_role_is_set_and_taken_back(store: Store) -> None:
    """The rest of the membership stays as it was, the read mark too."""
    room_id = await new_room(store, *INSIDE)
    await append(store, room_id, said(ANN))
    await store.members.mark_read(room_id, BOB, 3)
    before = await membership(store, room_id, BOB)
    await append(store, room_id, member(ANN, BOB, role="admin"))
    admin = await membership(store, room_id, BOB)
    assert (admin.role, admin.read_seq, admin.joined_rev) == (Role.ADMIN, 3, before.joined_rev)
    await append(store, room_id, member(ANN, BOB, role="member"))
    assert await membership(store, room_id, BOB) == before


async def test_a_room_that_is_handed_over_has_one_owner(store: Store) -> None:
    """The giver becomes an admin, the room is the other's."""
    room_id = await new_room(store, *INSIDE)
    (row,) = await append(store, room_id, member(ANN, BOB, role="owner"))
    after = await snapshot(store, room_id)
    assert (after.room.owner, after.room.rev) == (BOB, row.rev)
    assert [m.role for m in after.members] == [Role.ADMIN, Role.OWNER]
    assert await store.members.count(ANN, owned=True) == 0
    assert await store.members.count(BOB, owned=True) == 1


@pytest.mark.parametrize("leaves", [left(ANN, heir=BOB), left(ANN, heir=BOB, reason="kicked")])
async def test_an_heir_keeps_all_but_her_role(store: Store, leaves: Draft) -> None:
    """Who inherits is owner from the row on, with the membership she had."""
    room_id = await new_room(store, *INSIDE)
    before = await membership(store, room_id, BOB)
    await append(store, room_id, leaves)
    after = await snapshot(store, room_id)
    assert after.room.owner == BOB
    (bob,) = after.members
    assert (bob.role, bob.joined_rev) == (Role.OWNER, before.joined_rev)


@pytest.mark.parametrize(("room_type", "settings", "visible"), VISIBLE)
async def test_history_begins_where_the_room_says(
    store: Store, room_type: RoomType, settings: dict[str, Any], visible: int
) -> None:
    """Listed and direct rooms show all of it, others what follows the join; founders see all."""
    room_id = await new_room(store, *INSIDE, room_type=room_type, settings=settings)
    await append(store, room_id, said(ANN), joined(EVE))
    assert (await membership(store, room_id, EVE)).visible_from_seq == visible
    assert (await membership(store, room_id, BOB)).visible_from_seq == 0


async def test_every_change_of_a_standing_is_told_by_the_revision(store: Store) -> None:
    """Each row about her raises the user's revision, and nobody else's."""
    room_id = await new_room(store, *INSIDE)
    bob = await store.members.revisions([BOB])
    seen = [(await store.members.revisions([EVE]))[EVE]]
    for row in (
        member(ANN, EVE, state="pending"),
        joined(EVE),
        member(ANN, EVE, role="admin"),
        member(ANN, EVE, muted_for_ms=5),
        banned(ANN, EVE),
        member(ANN, EVE),
    ):
        await append(store, room_id, row)
        seen.append((await store.members.revisions([EVE]))[EVE])
    assert seen == sorted(set(seen))
    assert await store.members.revisions([BOB]) == bob
