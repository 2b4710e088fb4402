"""`MessageRepository.revised`."""

from parley.storage.models import RoomId, Timestamp, UserId
from tests.storage.drafts import (
    ANN,
    BOB,
    append,
    deleted,
    edited,
    head_of,
    new_room,
    reacted,
    said,
)
from tests.storage.stores import Store

BEGIN = (Timestamp(0), "")


async def revised(store: Store, after: tuple[int, str] = BEGIN, limit: int = 99) -> list[str]:
    at, message_id = after
    found = await store.messages.revised(after=(Timestamp(at), message_id), limit=limit)
    return [f"{when} {message.content.get('text', '-')}" for when, message in found]


async def test_edits_and_deletions_come_by_time_from_every_room(store: Store) -> None:
    """Each with the message as it is today; reactions are none of them."""
    one, other = await new_room(store, ANN, BOB), await new_room(store, ANN)
    a, b, c = said(ANN, "a"), said(BOB, "b"), said(ANN, "c")
    await append(store, one, a, b)
    await append(store, other, c)
    await append(store, one, deleted(ANN, a.id, created_at=Timestamp(40)))
    await append(store, other, edited(ANN, c.id, "c1", created_at=Timestamp(20)))
    await append(store, other, edited(ANN, c.id, "c2", created_at=Timestamp(30)))
    await append(store, one, edited(BOB, b.id, "b1", created_at=Timestamp(20)))
    await append(store, one, reacted(ANN, b.id, "x", created_at=Timestamp(50)))
    assert await revised(store) == ["20 b1", "20 c2", "30 c2", "40 -"]
    assert await revised(store, limit=1) == ["20 b1"]
    assert await revised(store, after=(20, b.message_id)) == ["20 c2", "30 c2", "40 -"]
    assert await revised(store, after=(40, a.message_id)) == []


async def test_deleted_rooms_have_none(store: Store) -> None:
    room_id = await _edited_room(store, ANN)
    assert await revised(store) == ["7 new"]
    head = await head_of(store, room_id)
    await store.rooms.delete(
        room_id, epoch=head.epoch, after=head.rev, new_epoch="0badf00d", at=Timestamp(9)
    )
    assert await revised(store) == []


async def _edited_room(store: Store, author: UserId) -> RoomId:
    room_id = await new_room(store, author)
    message = said(author, "old")
    await append(store, room_id, message)
    await append(store, room_id, edited(author, message.id, "new", created_at=Timestamp(7)))
    return room_id
