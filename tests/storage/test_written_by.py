"""`MessageRepository.written_by`."""

from parley.storage.models import Message, MessageId, RoomType, UserId
from tests.storage.drafts import (
    ANN,
    BOB,
    EVE,
    append,
    banned,
    deleted,
    edited,
    joined,
    left,
    member,
    new_room,
    said,
    texts,
)
from tests.storage.stores import Store


async def written(store: Store, author: UserId, reader: UserId) -> list[str]:
    """Return what the reader sees of the author's messages."""
    return texts(await store.messages.written_by(author, reader=reader, limit=100))


async def test_what_somebody_said_comes_from_all_shared_rooms(store: Store) -> None:
    """The newest first, whatever the room; nobody else's, and nothing from elsewhere."""
    one, other, elsewhere = (
        await new_room(store, ANN, BOB),
        await new_room(store, ANN, BOB, room_type=RoomType.DIRECT),
        await new_room(store, BOB),
    )
    for room_id, text in ((one, "1"), (other, "2"), (elsewhere, "x"), (one, "3"), (other, "4")):
        await append(store, room_id, said(BOB, text), said(ANN, "mine"))
    assert await written(store, BOB, ANN) == ["4", "3", "2", "1"]
    assert await written(store, BOB, BOB) == ["4", "3", "x", "2", "1"]
    assert await written(store, BOB, EVE) == []
    assert await written(store, EVE, ANN) == []


async def test_only_a_member_reads_it(store: Store) -> None:
    """Who is invited, banned, or left sees nothing of the room, public as it may be."""
    room_id = await new_room(store, ANN, BOB, room_type=RoomType.PUBLIC)
    for row, seen in (
        (member(ANN, EVE, state="invited"), []),
        (joined(EVE), ["hello", "hello"]),
        (left(EVE), []),
        (banned(ANN, EVE), []),
    ):
        await append(store, room_id, row, said(BOB, "hello"))
        assert await written(store, BOB, EVE) == seen


async def test_it_begins_where_the_reader_sees_from(store: Store) -> None:
    """What was said before she came does not exist for her, however much it is."""
    room_id = await new_room(store, ANN, BOB)
    await append(store, room_id, *[said(BOB, "before") for _ in range(5)], joined(EVE))
    await append(store, room_id, said(BOB, "after"))
    assert texts(await store.messages.written_by(BOB, reader=EVE, limit=3)) == ["after"]
    assert len(await written(store, BOB, ANN)) == 6


async def test_messages_come_as_they_are_now(store: Store) -> None:
    """Edited ones at their place, deleted ones not at all, and no control messages."""
    room_id = await new_room(store, ANN, BOB)
    one, two, three = said(BOB, "1"), said(BOB, "2"), said(BOB, "3")
    await append(store, room_id, one, two, three)
    await append(store, room_id, edited(BOB, one.id, "uno"), deleted(BOB, two.id))
    found = await store.messages.written_by(BOB, reader=ANN, limit=9)
    assert texts(found) == ["3", "uno"]
    assert found[1] == await store.messages.get(one.message_id)


async def test_pages_of_it_join_without_overlap(store: Store) -> None:
    """``before`` goes on below a message, whichever room it is in."""
    rooms = [await new_room(store, ANN, BOB) for _ in range(3)]
    for i in range(12):
        await append(store, rooms[i * 7 % 3], said(BOB, str(i)))
    seen, before = list[Message](), None
    while page := await store.messages.written_by(BOB, reader=ANN, before=before, limit=5):
        seen += page
        before = MessageId(page[-1].id)
    assert texts(seen) == [str(i) for i in reversed(range(12))]


async def test_the_order_is_that_of_the_ids(store: Store) -> None:
    """Two rows that were stored the other way round come by id, and pages keep to it."""
    room_id = await new_room(store, ANN, BOB)
    early, late = said(BOB, "early"), said(BOB, "late")
    await append(store, room_id, late, early)
    assert await written(store, BOB, ANN) == ["late", "early"]
    rest = await store.messages.written_by(BOB, reader=ANN, before=late.message_id, limit=9)
    assert texts(rest) == ["early"]
