"""`MemberRepository.of_room` and `waiting`: people of a room, and rooms that wait for one."""

from collections.abc import Sequence

from parley.storage.models import Membership, MemberState, RoomId, RoomType, Timestamp, UserId
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
    snapshot,
    updated,
)
from tests.storage.stores import Store


def ids(found: Sequence[tuple[Membership, str | None]]) -> list[UserId]:
    """Return whose memberships they are."""
    return [membership.user_id for membership, _ in found]


async def test_people_of_a_room_come_by_state(store: Store) -> None:
    """Each state has its own list, of this room only."""
    room_id = await new_room(store, ANN, BOB)
    await new_room(store, EVE)
    cat, dan = UserId("cat"), UserId("dan")
    await append(
        store,
        room_id,
        member(ANN, EVE, state="invited"),
        member(cat, cat, state="pending"),
        banned(ANN, dan),
    )
    of_room = store.members.of_room
    assert ids(await of_room(room_id, state=MemberState.MEMBER, limit=9)) == [ANN, BOB]
    assert ids(await of_room(room_id, state=MemberState.INVITED, limit=9)) == [EVE]
    assert ids(await of_room(room_id, state=MemberState.PENDING, limit=9)) == [cat]
    assert ids(await of_room(room_id, state=MemberState.BANNED, limit=9)) == [dan]
    assert ids(await of_room(RoomId("nowhere"), state=MemberState.MEMBER, limit=9)) == []


async def test_people_come_with_their_names(store: Store) -> None:
    """Who has no name, or was never seen, is there without one."""
    room_id = await new_room(store, ANN, BOB, EVE)
    await store.users.see(ANN, "Ann", Timestamp(1))
    await store.users.see(BOB, None, Timestamp(1))
    found = await store.members.of_room(room_id, state=MemberState.MEMBER, limit=9)
    expected = zip((ANN, BOB, EVE), ("Ann", None, None), strict=True)
    assert found == [(await membership(store, room_id, u), name) for u, name in expected]


async def test_pages_of_people_join_without_overlap(store: Store) -> None:
    """By user id, each page behind the last user of the one before."""
    people = [UserId(f"user-{i}") for i in range(7)]
    room_id = await new_room(store, *reversed(people))
    await append(store, room_id, banned(people[0], people[3]))
    seen, after = list[UserId](), None
    while page := ids(
        await store.members.of_room(room_id, state=MemberState.MEMBER, after=after, limit=2)
    ):
        seen += page
        after = page[-1]
    assert seen == [*people[:3], *people[4:]]


async def test_rooms_that_wait_come_with_their_size(store: Store) -> None:
    """Invitations first, then requests; not those she is in, left, or is banned from."""
    rooms = sorted([await new_room(store, ANN, BOB) for _ in range(6)])
    asked, invited, inside, refused, out, again = rooms
    await append(store, asked, member(EVE, EVE, state="pending"))
    await append(store, invited, member(ANN, EVE, state="invited"))
    await append(store, inside, joined(EVE))
    await append(store, refused, banned(ANN, EVE))
    await append(store, out, member(ANN, EVE, state="invited"), left(EVE, was="invited"))
    await append(store, again, left(BOB), member(ANN, EVE, state="invited"))
    waiting = await store.members.waiting(EVE)
    assert [(m.state, room.id, count) for m, room, count in waiting] == [
        (MemberState.INVITED, invited, 2),
        (MemberState.INVITED, again, 1),
        (MemberState.PENDING, asked, 2),
    ]
    for found, room, _ in waiting:
        assert found == await membership(store, room.id, EVE)
        assert room == (await snapshot(store, room.id)).room


async def test_a_room_that_waits_is_as_it_is_now(store: Store) -> None:
    """A name that changed after the invitation counts."""
    room_id = await new_room(store, ANN, room_type=RoomType.PRIVATE)
    await append(store, room_id, member(ANN, EVE, state="invited"), updated(ANN, name="Coffee"))
    ((_, room, _),) = await store.members.waiting(EVE)
    assert room.name == "Coffee"
