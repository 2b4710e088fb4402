"""`RoomRepository`, and what control rows fold into."""

import asyncio

import pytest

from parley.storage.models import Head, Role, RoomId, RoomType
from tests.storage.drafts import (
    ANN,
    BOB,
    EPOCH,
    EVE,
    a_room,
    append,
    founding,
    joined,
    left,
    new_room,
    said,
)
from tests.storage.stores import Store


async def test_a_new_room_has_its_founding_rows(store: Store) -> None:
    """Founders are members from the first positions and see everything."""
    room = a_room(description="Green", settings={"max_members": 5})
    snapshot = await store.rooms.create(room, founding(ANN, BOB))
    assert snapshot == await store.rooms.get(room.id)
    assert snapshot.head == 2
    assert (snapshot.room.owner, snapshot.room.description) == (ANN, "Green")
    assert snapshot.room.settings == {"max_members": 5}
    ann, bob = snapshot.members
    assert (ann.user_id, ann.role, ann.joined_rev) == (ANN, Role.OWNER, 1)
    assert (bob.user_id, bob.role, bob.joined_rev) == (BOB, Role.MEMBER, 2)
    assert (bob.visible_from_seq, bob.read_seq) == (0, 2)
    assert [m.seq for m in await store.messages.history(room.id, limit=9)] == [1, 2]


async def test_creating_again_changes_nothing(store: Store) -> None:
    """The stored room is returned when the id is taken."""
    room = a_room("d-" + "0" * 32, RoomType.DIRECT)
    first = await store.rooms.create(room, founding(ANN, BOB))
    again = a_room(room.id, RoomType.DIRECT, name="Other", epoch="ffffffff")
    assert await store.rooms.create(again, founding(BOB, ANN)) == first
    assert await store.rooms.get(room.id) == first


async def test_two_creations_at_once_make_one_room(store: Store) -> None:
    """Both callers get the room of the first."""
    room = a_room()
    one, other = await asyncio.gather(
        store.rooms.create(room, founding(ANN, BOB)),
        store.rooms.create(room, founding(BOB, ANN)),
    )
    assert one == other


async def test_an_unknown_room_is_none(store: Store) -> None:
    """A room that was never created is not found."""
    assert await store.rooms.get(RoomId("nowhere")) is None


async def test_heads_are_where_logs_end(store: Store) -> None:
    """Each known room has its epoch and newest position; unknown ones are left out."""
    room_id, empty = await new_room(store, ANN), await new_room(store)
    await append(store, room_id, said(ANN), said(ANN))
    assert await store.rooms.heads([room_id, empty, RoomId("nowhere")]) == {
        room_id: Head(epoch=EPOCH, rev=3),
        empty: Head(epoch=EPOCH, rev=0),
    }
    assert await store.rooms.heads([]) == {}


@pytest.mark.parametrize(("room_type", "visible"), [(RoomType.PUBLIC, 0), (RoomType.PRIVATE, 3)])
async def test_who_joins_later_sees_what_the_type_allows(
    store: Store, room_type: RoomType, visible: int
) -> None:
    """History is visible from the join on, in public rooms from the start."""
    room_id = await new_room(store, ANN, room_type=room_type)
    await append(store, room_id, said(ANN), joined(EVE))
    eve = await store.members.get(room_id, EVE)
    assert eve is not None
    assert (eve.visible_from_seq, eve.joined_rev, eve.read_seq) == (visible, 3, 3)


async def test_a_second_join_of_a_member_changes_nothing(store: Store) -> None:
    """A membership is replaced by a later join only after a leave or by its newer row."""
    room_id = await new_room(store, ANN)
    await append(store, room_id, joined(EVE), said(ANN), left(EVE), joined(EVE))
    eve = await store.members.get(room_id, EVE)
    assert eve is not None
    assert (eve.joined_rev, eve.visible_from_seq, eve.read_seq) == (5, 5, 5)


async def test_the_heir_owns_the_room(store: Store) -> None:
    """A leave that names an heir makes her owner; without one nobody owns the room."""
    room_id = await new_room(store, ANN, BOB)
    await append(store, room_id, left(ANN, heir=BOB))
    snapshot = await store.rooms.get(room_id)
    assert snapshot is not None
    assert snapshot.room.owner == BOB
    assert snapshot.members[0].role is Role.OWNER
    await append(store, room_id, left(BOB))
    snapshot = await store.rooms.get(room_id)
    assert snapshot is not None
    assert (snapshot.room.owner, snapshot.members) == (None, ())
