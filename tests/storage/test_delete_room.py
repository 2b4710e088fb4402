"""`RoomRepository.delete`, and `sweep` behind it."""

import pytest

from parley.storage.errors import EpochChanged, NotStored, PositionTaken
from parley.storage.models import (
    Draft,
    Head,
    MemberState,
    Page,
    Purged,
    RoomId,
    RoomType,
    Timestamp,
    Unread,
    UserId,
)
from tests.storage.drafts import (
    ANN,
    BOB,
    EPOCH,
    EVE,
    a_room,
    append,
    banned,
    edited,
    founding,
    head_of,
    joined,
    member,
    new_room,
    said,
    snapshot,
    updated,
)
from tests.storage.stores import Store

NEW_EPOCH = "11111111"
AT = Timestamp(1_800_000_000_000)
NOTHING = Purged(removed=0, log_floor=0, more=False)


async def delete(store: Store, room_id: RoomId, new_epoch: str = NEW_EPOCH) -> None:
    """Delete a room whatever its head is."""
    head = await head_of(store, room_id)
    await store.rooms.delete(room_id, epoch=head.epoch, after=head.rev, new_epoch=new_epoch, at=AT)


async def test_a_deleted_room_keeps_its_id_and_owner_only(store: Store) -> None:
    """Name, description, settings and members are gone, and its log begins anew."""
    room_id = await new_room(store, ANN, BOB, description="Green", settings={"max_members": 5})
    await append(store, room_id, said(ANN), updated(ANN, name="Coffee"))
    before = (await snapshot(store, room_id)).room
    await delete(store, room_id)
    after = await snapshot(store, room_id)
    assert after.room == a_room(
        room_id,
        name="",
        owner=ANN,
        created_at=before.created_at,
        updated_at=AT,
        epoch=NEW_EPOCH,
        deleted=True,
    )
    assert (after.head, after.members) == (0, ())
    assert await head_of(store, room_id) == Head(epoch=NEW_EPOCH, rev=0)


@pytest.mark.parametrize("swept", [0, 1, 2, 3, 99])
async def test_nothing_shows_of_its_log(store: Store, swept: int) -> None:
    """Messages, changes, client_ids and counts are gone, however much of it is left on disk."""
    room_id, other = await new_room(store, ANN, BOB), await new_room(store, ANN, BOB)
    message = said(ANN, mentions=[BOB])
    await append(store, room_id, message, edited(ANN, message.id, "x", mentions=[BOB]))
    (kept,) = await append(store, other, said(ANN, mentions=[BOB]))
    await delete(store, room_id)
    await store.rooms.sweep(limit=swept)
    messages = store.messages
    assert await messages.get(message.message_id) is None
    assert await messages.stored(room_id, ANN, message.client_id) is None
    assert list(await messages.history(room_id, limit=9)) == []
    assert list(await messages.history(room_id, before=9, limit=9)) == []
    assert list(await messages.history(room_id, after=0, limit=9)) == []
    for after in (0, 2):
        empty = Page(messages=(), last=after, more=False)
        assert await messages.changes(room_id, after=after) == empty
        assert await messages.changes(room_id, after=after, limit=1) == empty
    assert await messages.unread(room_id, BOB, after=0) == Unread(count=0, mentions=0)
    assert await messages.oldest(room_id) == 1
    assert await messages.purge(room_id, before=Timestamp(1 << 50), limit=9) == NOTHING
    assert await messages.written_by(ANN, reader=BOB, limit=9) == [kept]
    assert await head_of(store, room_id) == Head(epoch=NEW_EPOCH, rev=0)
    after_all = await snapshot(store, room_id)
    assert (after_all.room.deleted, after_all.head, after_all.members) == (True, 0, ())


async def test_nothing_shows_of_it_in_lists(store: Store) -> None:
    """Nobody's rooms, counts and unread messages have it, before it is swept as after."""
    room_id, other = await new_room(store, ANN, BOB), await new_room(store, ANN, BOB)
    for room in (room_id, other):
        await append(store, room, said(ANN, mentions=[BOB]), member(ANN, EVE, state="invited"))
    await delete(store, room_id)
    members, gone = store.members, True
    while gone:
        assert [o.room.id for o in await members.overviews(BOB, limit=9)] == [other]
        assert [room.id for _, room, _ in await members.of_user(BOB)] == [other]
        assert [room.id for _, room, _ in await members.waiting(EVE)] == [other]
        assert list(await members.unread(BOB)) == [other]
        assert (await members.count(ANN), await members.count(ANN, owned=True)) == (1, 1)
        for state in MemberState:
            assert list(await members.of_room(room_id, state=state, limit=9)) == []
        assert list(await members.among(BOB, [room_id, other])) == [other]
        assert await members.mark_read(room_id, BOB, 3) == 0
        assert [room.id for room in await store.rooms.page(limit=9)] == [other]
        gone = bool(await store.rooms.sweep(limit=3))


async def test_a_sweep_removes_what_deleted_rooms_left(store: Store) -> None:
    """Never more than is asked for, each row and each mention once, and nothing of others."""
    rooms = [await new_room(store, ANN) for _ in range(4)]
    for room_id in rooms:
        await append(store, room_id, *[said(ANN, mentions=[BOB]) for _ in range(3)])
    kept = [await store.messages.changes(room_id, after=0) for room_id in rooms[2:]]
    assert await store.rooms.sweep(limit=5) == 0
    for room_id in rooms[:2]:
        await delete(store, room_id)
    assert [await store.rooms.sweep(limit=5) for _ in range(4)] == [5, 5, 4, 0]
    assert [await store.messages.changes(room_id, after=0) for room_id in rooms[2:]] == kept
    await delete(store, rooms[2])
    assert [await store.rooms.sweep(limit=7) for _ in range(3)] == [7, 0, 0]
    assert await store.messages.changes(rooms[3], after=0) == kept[1]
    assert (await store.messages.unread(rooms[3], BOB, after=0)).mentions == 3


async def test_everyone_is_out_of_a_deleted_room(store: Store) -> None:
    """Members, invited and banned have no membership, and their revisions say so."""
    room_id = await new_room(store, ANN, BOB)
    cat = UserId("cat")
    await append(store, room_id, member(ANN, EVE, state="invited"), banned(ANN, cat))
    everyone = [ANN, BOB, EVE, cat]
    before = await store.members.revisions(everyone)
    await delete(store, room_id)
    after = await store.members.revisions(everyone)
    for user in everyone:
        assert await store.members.get(room_id, user) is None
        assert after[user] > before[user]
    assert list(await store.members.of_user(ANN)) == []
    assert list(await store.members.waiting(EVE)) == []
    assert await store.members.count(ANN, owned=True) == 0


async def test_a_deleted_room_is_not_listed(store: Store) -> None:
    """Nobody finds it any more."""
    room_id = await new_room(store, ANN, room_type=RoomType.PUBLIC)
    await delete(store, room_id)
    assert list(await store.rooms.listed(limit=9)) == []


async def test_the_id_of_a_deleted_room_is_not_used_again(store: Store) -> None:
    """Creating it writes nothing and returns the deleted one."""
    room_id = await new_room(store, ANN)
    await delete(store, room_id)
    gone = await snapshot(store, room_id)
    assert await store.rooms.create(a_room(room_id), founding(BOB)) == gone
    assert await snapshot(store, room_id) == gone


@pytest.mark.parametrize("row", [said(ANN), joined(EVE)], ids=["message", "control"])
@pytest.mark.parametrize(
    ("epoch", "error"), [(NEW_EPOCH, NotStored), (EPOCH, EpochChanged)], ids=["new", "old"]
)
async def test_a_deleted_room_takes_no_rows(
    store: Store, row: Draft, epoch: str, error: type[Exception]
) -> None:
    """Under the old epoch the log is another one, under the new one there is no room."""
    room_id = await new_room(store, ANN)
    await append(store, room_id, said(ANN))
    await delete(store, room_id)
    for after in (0, 2):
        with pytest.raises(error):
            await store.messages.append(room_id, epoch=epoch, after=after, drafts=[row])
    assert (await snapshot(store, room_id)).head == 0


async def test_a_room_is_deleted_at_its_head_only(store: Store) -> None:
    """A row that came first keeps it, as does another epoch; nothing changes."""
    room_id = await new_room(store, ANN)
    await append(store, room_id, said(ANN))
    before = await snapshot(store, room_id)
    with pytest.raises(PositionTaken) as taken:
        await store.rooms.delete(room_id, epoch=EPOCH, after=1, new_epoch=NEW_EPOCH, at=AT)
    assert taken.value.head == 2
    with pytest.raises(EpochChanged):
        await store.rooms.delete(room_id, epoch="ffffffff", after=2, new_epoch=NEW_EPOCH, at=AT)
    assert await snapshot(store, room_id) == before


async def test_a_second_deletion_is_refused(store: Store) -> None:
    """A retry learns that the epoch is another one; a room that never was is not stored."""
    room_id = await new_room(store, ANN)
    await delete(store, room_id)
    for room, epoch, error in (
        (room_id, EPOCH, EpochChanged),
        (room_id, NEW_EPOCH, NotStored),
        (RoomId("nowhere"), EPOCH, NotStored),
    ):
        with pytest.raises(error):
            await store.rooms.delete(room, epoch=epoch, after=0, new_epoch="22222222", at=AT)
    assert (await head_of(store, room_id)).epoch == NEW_EPOCH


async def test_a_request_of_a_room_that_is_being_swept_is_not_known(store: Store) -> None:
    """Its message may be removed already when the row that changed it is still there."""
    room_id = await new_room(store, ANN)
    message = said(ANN)
    change = edited(ANN, message.id, "x")
    await append(store, room_id, message, change)
    await delete(store, room_id)
    assert await store.rooms.sweep(limit=2) == 2
    assert await store.messages.stored(room_id, ANN, change.client_id) is None
