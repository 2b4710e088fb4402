"""`MemberRepository.overviews` and `unread`: all rooms of a user in one read."""

import asyncio

from parley.storage.models import (
    UNREAD_CAP,
    Message,
    RoomId,
    RoomOverview,
    RoomType,
    Unread,
    UserId,
)
from tests.storage.drafts import (
    ANN,
    BOB,
    EVE,
    append,
    banned,
    deleted,
    edited,
    head_of,
    joined,
    left,
    member,
    membership,
    new_room,
    reacted,
    said,
    snapshot,
    texts,
    updated,
)
from tests.storage.stores import Store


async def overview(store: Store, user: UserId, room_id: RoomId) -> RoomOverview:
    """Return one room of the user's list."""
    return {o.room.id: o for o in await store.members.overviews(user, limit=100)}[room_id]


async def last_of(store: Store, user: UserId, room_id: RoomId) -> Message | None:
    """Return what she sees as said last."""
    return (await overview(store, user, room_id)).last_message


async def test_an_overview_is_what_other_reads_say(store: Store) -> None:
    """Membership, room, head, counts and message are those of the room itself."""
    rooms = [await new_room(store, ANN, BOB) for _ in range(3)]
    await append(store, rooms[0], said(BOB), said(BOB, mentions=[ANN]), joined(EVE))
    await append(store, rooms[1], said(ANN), said(BOB))
    await store.members.mark_read(rooms[0], ANN, 3)
    overviews = await store.members.overviews(ANN, limit=9)
    assert [o.room.id for o in overviews] == sorted(rooms)
    for found in overviews:
        whole = await snapshot(store, found.room.id)
        assert found.room == whole.room
        assert found.head == whole.head
        assert found.member_count == len(whole.members)
        assert found.membership == await membership(store, found.room.id, ANN)
        after = found.membership.unread_after
        assert found.unread == await store.messages.unread(found.room.id, ANN, after=after)
        if found.last_message is not None:
            assert found.last_message == await store.messages.get(found.last_message.id)
    assert (await overview(store, ANN, rooms[0])).unread == Unread(count=1, mentions=1)


async def test_a_direct_room_says_who_else_is_in_it(store: Store) -> None:
    """Nothing else does, before somebody has written there."""
    direct = await new_room(store, ANN, BOB, room_type=RoomType.DIRECT)
    group = await new_room(store, ANN, BOB)
    assert (await overview(store, ANN, direct)).peer == BOB
    assert (await overview(store, BOB, direct)).peer == ANN
    assert (await overview(store, ANN, group)).peer is None


async def test_only_rooms_she_is_inside_have_an_overview(store: Store) -> None:
    """Not those that wait, that she left, or that she is banned from."""
    inside, invited, refused, out = [await new_room(store, ANN, BOB) for _ in range(4)]
    await append(store, invited, member(ANN, EVE, state="invited"))
    await append(store, refused, banned(ANN, EVE))
    await append(store, out, joined(EVE), said(ANN), left(EVE))
    await append(store, inside, joined(EVE), said(ANN))
    assert [o.room.id for o in await store.members.overviews(EVE, limit=9)] == [inside]
    assert list(await store.members.unread(EVE)) == [inside]


async def test_only_who_is_inside_counts(store: Store) -> None:
    """``member_count`` leaves out the invited and the banned."""
    room_id = await new_room(store, ANN, BOB)
    await append(store, room_id, member(ANN, EVE, state="invited"), banned(ANN, BOB))
    assert (await overview(store, ANN, room_id)).member_count == 1


async def test_pages_of_overviews_join_without_overlap(store: Store) -> None:
    """By room id, each page behind the last room of the one before."""
    rooms = sorted([await new_room(store, ANN) for _ in range(5)])
    seen, after = list[RoomId](), None
    while page := await store.members.overviews(ANN, after=after, limit=2):
        seen += [o.room.id for o in page]
        after = seen[-1]
    assert seen == rooms


async def test_the_last_message_is_what_somebody_said(store: Store) -> None:
    """Control rows and changes of older messages come after it and do not count."""
    room_id = await new_room(store, ANN, BOB)
    assert await last_of(store, ANN, room_id) is None
    one, two = said(ANN, "one"), said(BOB, "two")
    await append(store, room_id, one, two, edited(ANN, one.id, "uno"))
    await append(store, room_id, reacted(ANN, one.id, "+"), joined(EVE), updated(ANN, name="X"))
    last = await last_of(store, ANN, room_id)
    assert last is not None
    assert texts([last]) == ["two"]


async def test_the_last_message_comes_in_its_present_state(store: Store) -> None:
    """With its edit and reactions; as a deleted one once it is."""
    room_id = await new_room(store, ANN, BOB)
    one = said(ANN, "one")
    await append(store, room_id, said(BOB, "before"), one, edited(ANN, one.id, "uno"))
    last = await last_of(store, ANN, room_id)
    assert last == await store.messages.get(one.message_id)
    await append(store, room_id, deleted(ANN, one.id))
    last = await last_of(store, ANN, room_id)
    assert last is not None
    assert (last.id, last.deleted) == (one.id, True)


async def test_the_last_message_is_one_she_may_see(store: Store) -> None:
    """Who joined later has none until something is said; in a public room she sees all."""
    for room_type, sees in ((RoomType.GROUP, False), (RoomType.PUBLIC, True)):
        room_id = await new_room(store, ANN, room_type=room_type)
        await append(store, room_id, said(ANN, "before"), joined(EVE))
        assert (await last_of(store, EVE, room_id) is not None) is sees
        await append(store, room_id, said(ANN, "after"))
        last = await last_of(store, EVE, room_id)
        assert last is not None
        assert texts([last]) == ["after"]


async def test_an_empty_room_has_a_head_of_its_founding(store: Store) -> None:
    """Nothing said: no message, nothing unread."""
    room_id = await new_room(store, ANN)
    found = await overview(store, ANN, room_id)
    assert (found.head, found.last_message, found.unread) == (1, None, Unread(count=0, mentions=0))


async def test_unread_rooms_are_those_with_something_new(store: Store) -> None:
    """Each is counted behind her mark, or where she may see from; rooms with 0 are left out."""
    quiet, read, new, joined_late = [await new_room(store, ANN, BOB) for _ in range(4)]
    await append(store, quiet, said(ANN))
    await append(store, read, said(BOB), said(BOB, mentions=[ANN]))
    await store.members.mark_read(read, ANN, 4)
    await append(store, new, said(BOB), said(BOB, mentions=[ANN]), said(ANN))
    await append(store, joined_late, said(BOB), joined(EVE), said(BOB))
    assert await store.members.unread(ANN) == {
        new: Unread(count=2, mentions=1),
        joined_late: Unread(count=2, mentions=0),
    }
    assert await store.members.unread(EVE) == {joined_late: Unread(count=1, mentions=0)}
    assert await store.members.unread(UserId("nobody")) == {}


async def test_each_room_is_counted_up_to_the_cap(store: Store) -> None:
    """`UNREAD_CAP` holds for every room by itself."""
    room_id = await new_room(store, ANN, BOB)
    await append(store, room_id, *[said(BOB, mentions=[ANN]) for _ in range(UNREAD_CAP + 5)])
    capped = Unread(count=UNREAD_CAP, mentions=UNREAD_CAP)
    assert await store.members.unread(ANN) == {room_id: capped}
    assert (await overview(store, ANN, room_id)).unread == capped


async def test_an_overview_is_one_view(store: Store) -> None:
    """While others write, head, count and message of a room fit together."""
    room_id = await new_room(store, ANN, BOB)

    async def write() -> None:
        for _ in range(40):
            await append(store, room_id, said(BOB))

    writing = asyncio.create_task(write())
    while not writing.done():
        found = await overview(store, ANN, room_id)
        assert found.unread.count == found.head - 2
        assert (found.last_message.seq if found.last_message else 2) == found.head
    await writing
    assert (await head_of(store, room_id)).rev == 42
