"""What `room_update` rows fold into, and when a room counts as changed."""

from parley.storage.models import Timestamp
from tests.storage.drafts import (
    ANN,
    BOB,
    EVE,
    append,
    banned,
    joined,
    left,
    member,
    new_room,
    said,
    snapshot,
    updated,
)
from tests.storage.stores import Store


async def test_a_changed_field_is_replaced_and_others_stay(store: Store) -> None:
    """Name, description and single settings change by themselves."""
    room_id = await new_room(store, ANN, settings={"max_members": 5})
    await append(store, room_id, updated(ANN, name="Coffee"))
    await append(store, room_id, updated(ANN, description="Black"))
    await append(store, room_id, updated(ANN, settings={"mute_all": True}))
    room = (await snapshot(store, room_id)).room
    assert (room.name, room.description) == ("Coffee", "Black")
    assert room.settings == {"max_members": 5, "mute_all": True}


async def test_an_empty_description_is_none(store: Store) -> None:
    """That is how it is taken away."""
    room_id = await new_room(store, ANN, description="Green")
    await append(store, room_id, updated(ANN, description=""))
    assert (await snapshot(store, room_id)).room.description is None


async def test_a_room_is_as_old_as_its_latest_change(store: Store) -> None:
    """``rev`` and ``updated_at`` are those of the row, also when it changed the owner only."""
    room_id = await new_room(store, ANN, BOB)
    await append(store, room_id, said(ANN), updated(ANN, at=77, name="Coffee"))
    room = (await snapshot(store, room_id)).room
    assert (room.rev, room.updated_at) == (4, Timestamp(77))
    (row,) = await append(store, room_id, member(ANN, BOB, role="owner"))
    room = (await snapshot(store, room_id)).room
    assert (room.rev, room.updated_at) == (5, row.created_at)


async def test_what_changes_no_data_of_the_room_leaves_its_rev(store: Store) -> None:
    """People who come, go or are changed, and a name that is the same, change nothing of it."""
    room_id = await new_room(store, ANN, BOB)
    before = (await snapshot(store, room_id)).room
    assert before.rev == 1  # the founding row that made her the owner
    await append(
        store,
        room_id,
        said(ANN),
        joined(EVE),
        member(ANN, EVE, role="admin"),
        member(ANN, EVE, muted_for_ms=5),
        left(EVE),
        member(ANN, EVE, state="invited"),
        banned(ANN, EVE),
        updated(ANN, at=99, name="Tea"),
    )
    assert (await snapshot(store, room_id)).room == before


async def test_an_update_touches_no_membership(store: Store) -> None:
    """The members of a room that changed are who they were."""
    room_id = await new_room(store, ANN, BOB)
    before = await snapshot(store, room_id)
    revisions = await store.members.revisions([ANN, BOB])
    await append(store, room_id, updated(ANN, name="Coffee", settings={"is_private": True}))
    assert (await snapshot(store, room_id)).members == before.members
    assert await store.members.revisions([ANN, BOB]) == revisions
