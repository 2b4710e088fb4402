"""`MemberRepository`."""

import asyncio

from parley.storage.models import Head, RoomId
from tests.storage.drafts import (
    ANN,
    BOB,
    EPOCH,
    EVE,
    append,
    joined,
    left,
    member,
    membership,
    new_room,
    said,
)
from tests.storage.stores import Store


async def test_rooms_of_a_user_come_with_their_heads(store: Store) -> None:
    """Only rooms she is in, ordered by id, each with membership, room and head."""
    ids = [await new_room(store, ANN, BOB), await new_room(store, ANN), await new_room(store, BOB)]
    await append(store, ids[0], said(ANN))
    found = await store.members.of_user(ANN)
    assert [room.id for _, room, _ in found] == sorted(ids[:2])
    assert [head for _, _, head in found] == [Head(epoch=EPOCH, rev=3), Head(epoch=EPOCH, rev=1)]
    assert all(membership.user_id == ANN for membership, _, _ in found)
    assert found[0][0] == await store.members.get(ids[0], ANN)
    assert list(await store.members.of_user(EVE)) == []


async def test_memberships_among_rooms_are_those_of_one_user(store: Store) -> None:
    """Each is what `get` returns, in whatever state; rooms she is a stranger to are left out."""
    inside, invited = await new_room(store, ANN, BOB), await new_room(store, ANN)
    strange, unasked = await new_room(store, ANN), await new_room(store, BOB)
    await append(store, invited, member(ANN, BOB, state="invited"))
    found = await store.members.among(BOB, [strange, inside, RoomId("nowhere"), invited])
    assert found == {room: await membership(store, room, BOB) for room in (inside, invited)}
    assert unasked not in found
    assert await store.members.among(BOB, []) == {}


async def test_who_shares_a_room_is_told_from_who_does_not(store: Store) -> None:
    """Both have to be inside, of whatever type the room is; to have been there is not enough."""
    shared, his = await new_room(store, ANN, BOB), await new_room(store, BOB, EVE)
    await append(store, shared, member(ANN, EVE, state="invited"))
    assert await store.members.sharing(ANN, [BOB, EVE, BOB, ANN]) == {BOB, ANN}
    assert [await store.members.neighbours(user_id) for user_id in (ANN, BOB, EVE)] == [
        {ANN, BOB},
        {ANN, BOB, EVE},
        {BOB, EVE},
    ]
    assert await store.members.sharing(BOB, [ANN, EVE]) == {ANN, EVE}
    assert await store.members.sharing(EVE, [ANN, BOB]) == {BOB}
    await append(store, his, left(EVE))
    assert await store.members.sharing(BOB, [ANN, EVE]) == {ANN}
    assert await store.members.sharing(EVE, [ANN, BOB, EVE]) == set()
    assert await store.members.neighbours(BOB) == {ANN, BOB}
    assert await store.members.neighbours(EVE) == set()
    assert await store.members.sharing(ANN, []) == set()


async def test_rooms_of_a_user_are_counted(store: Store) -> None:
    """Rooms she left, and those of others, do not count."""
    await new_room(store, ANN)
    await append(store, await new_room(store, ANN, BOB), left(BOB))
    assert await store.members.count(ANN) == 2
    assert await store.members.count(BOB) == 0
    await new_room(store, ANN, BOB)
    assert await store.members.count(BOB) == 1
    assert await store.members.count(BOB, owned=True) == 0
    assert await store.members.count(ANN, owned=True) == 3


async def test_a_revision_tells_that_memberships_changed(store: Store) -> None:
    """It is raised by each join and leave of the user, and by nothing else."""
    room_id = await new_room(store, ANN, BOB)
    first = await store.members.revisions([ANN, BOB, EVE])
    assert first[EVE] == 0
    await append(store, room_id, said(BOB), joined(EVE))
    await store.members.mark_read(room_id, BOB, 3)
    second = await store.members.revisions([ANN, BOB, EVE])
    assert second == {**first, EVE: second[EVE]}
    await append(store, room_id, left(EVE))
    third = await store.members.revisions([EVE])
    assert first[EVE] < second[EVE] < third[EVE]


async def test_who_left_has_no_membership(store: Store) -> None:
    """A room disappears from the list of a user who left it."""
    room_id = await new_room(store, ANN, BOB)
    await append(store, room_id, left(BOB))
    assert list(await store.members.of_user(BOB)) == []
    assert await store.members.get(room_id, BOB) is None


async def test_a_read_mark_only_rises_and_stays_below_the_head(store: Store) -> None:
    """The mark is the highest asked for, at most the head."""
    room_id = await new_room(store, ANN, BOB)
    await append(store, room_id, said(ANN), said(ANN))
    mark_read = store.members.mark_read
    assert await mark_read(room_id, BOB, 3) == 3
    assert await mark_read(room_id, BOB, 1) == 3
    assert await mark_read(room_id, BOB, 99) == 4
    bob = await store.members.get(room_id, BOB)
    assert bob is not None
    assert bob.read_seq == 4


async def test_of_marks_set_at_once_the_highest_stays(store: Store) -> None:
    """Whichever of them is written last."""
    room_id = await new_room(store, ANN, BOB)
    await append(store, room_id, *[said(ANN) for _ in range(30)])
    marks = [store.members.mark_read(room_id, BOB, seq) for seq in range(32, 2, -1)]
    assert max(await asyncio.gather(*marks)) == 32
    assert (await membership(store, room_id, BOB)).read_seq == 32


async def test_a_read_mark_is_of_one_membership(store: Store) -> None:
    """Others keep theirs, and who comes back starts at her join."""
    room_id = await new_room(store, ANN, BOB)
    await append(store, room_id, said(ANN))
    await store.members.mark_read(room_id, BOB, 3)
    ann = await store.members.get(room_id, ANN)
    assert ann is not None
    assert ann.read_seq == 1
    await append(store, room_id, left(BOB), joined(BOB))
    assert await store.members.mark_read(room_id, BOB, 0) == 5


async def test_a_stranger_has_no_read_mark(store: Store) -> None:
    """Her mark is 0 and is not kept."""
    room_id = await new_room(store, ANN)
    assert await store.members.mark_read(room_id, EVE, 1) == 0
    assert await store.members.get(room_id, EVE) is None
    assert await store.members.mark_read(RoomId("nowhere"), EVE, 1) == 0
