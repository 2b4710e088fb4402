"""`MessageRepository.spoken`."""

from parley.storage.models import Timestamp
from tests.storage.drafts import ANN, BOB, append, deleted, head_of, joined, new_room, said, texts
from tests.storage.stores import Store


async def test_what_was_said_comes_by_id_from_every_room(store: Store) -> None:
    one, other = await new_room(store, ANN, BOB), await new_room(store, ANN)
    drafts = [said(ANN, "1"), said(ANN, "2"), said(BOB, "3")]
    await append(store, one, drafts[2], drafts[0], joined(ANN))
    await append(store, other, drafts[1])
    await append(store, one, deleted(BOB, drafts[2].id))
    found = await store.messages.spoken(after="", limit=9)
    assert texts(found) == ["1", "2", ""]
    assert found[2].deleted
    assert texts(await store.messages.spoken(after=drafts[0].id, limit=1)) == ["2"]
    assert await store.messages.spoken(after=drafts[2].id, limit=9) == []


async def test_deleted_rooms_say_nothing(store: Store) -> None:
    room_id = await new_room(store, ANN)
    await append(store, room_id, said(ANN))
    head = await head_of(store, room_id)
    await store.rooms.delete(
        room_id, epoch=head.epoch, after=head.rev, new_epoch="0badf00d", at=Timestamp(2)
    )
    assert await store.messages.spoken(after="", limit=9) == []
