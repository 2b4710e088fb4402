"""`MessageRepository.append`: positions, duplicates, refusals, and what rows fold to."""

import pytest

from parley.storage.errors import EpochChanged, NotStored, PositionTaken
from parley.storage.models import Duplicate, MessageId, RoomId, Stored
from tests.storage.drafts import (
    ANN,
    BOB,
    EPOCH,
    append,
    deleted,
    edited,
    left,
    new_room,
    reacted,
    said,
    texts,
)
from tests.storage.stores import Store


async def test_drafts_take_the_next_positions_in_order(store: Store) -> None:
    """A batch is stored at ``after + 1`` and up."""
    room_id = await new_room(store, ANN)
    stored = await append(store, room_id, *[said(ANN, text) for text in "abc"])
    assert [(message.seq, message.rev) for message in stored] == [(2, 2), (3, 3), (4, 4)]
    assert texts(stored) == ["a", "b", "c"]
    assert await store.messages.history(room_id, limit=3) == stored


async def test_every_field_of_a_draft_comes_back(store: Store) -> None:
    """A message is what its draft said, word for word."""
    room_id = await new_room(store, ANN)
    first = said(ANN, "Grüße \u2028 \U0001f600 \x00", metadata={"n": 2**53}, to=BOB)
    (stored,) = await append(store, room_id, first)
    assert stored == await store.messages.get(first.message_id)
    assert stored.content == first.content
    assert (stored.metadata, stored.to) == ({"n": 2**53}, BOB)
    assert (stored.client_id, stored.created_at) == (first.client_id, first.created_at)
    empty = said(ANN, metadata={})
    await append(store, room_id, empty)
    found = await store.messages.get(empty.message_id)
    assert found is not None
    assert found.metadata == {}


async def test_no_drafts_store_nothing(store: Store) -> None:
    """An empty batch has no outcomes."""
    room_id = await new_room(store, ANN)
    assert list(await store.messages.append(room_id, epoch=EPOCH, after=1, drafts=[])) == []


async def test_a_batch_of_many_rows_is_dense(store: Store) -> None:
    """More rows than one statement takes are stored in order."""
    room_id = await new_room(store, ANN)
    await append(store, room_id, *[said(ANN, str(i)) for i in range(300)])
    page = await store.messages.changes(room_id, after=1)
    assert texts(page.messages) == [str(i) for i in range(300)]
    assert (page.dense, page.last) == (True, 301)


async def test_a_retry_is_answered_with_the_first_row(store: Store) -> None:
    """A draft that was stored before takes no position, and the next draft takes it."""
    room_id = await new_room(store, ANN)
    first, second = said(ANN, "first"), said(ANN, "second")
    (stored,) = await append(store, room_id, first)
    again, fresh = await store.messages.append(
        room_id, epoch=EPOCH, after=2, drafts=[first, second]
    )
    assert again == Duplicate(
        rev=2, digest=first.digest, created_at=first.created_at, message=stored
    )
    assert isinstance(fresh, Stored)
    assert fresh.message.rev == 3


async def test_a_retry_with_other_ids_is_still_the_same_row(store: Store) -> None:
    """Room, sender and client_id decide, and the digest is that of the first row."""
    room_id = await new_room(store, ANN)
    first = said(ANN, "first")
    other = said(ANN, "other", client_id=first.client_id, digest=b"of another request")
    await append(store, room_id, first)
    (again,) = await store.messages.append(room_id, epoch=EPOCH, after=2, drafts=[other])
    assert isinstance(again, Duplicate)
    assert (again.digest, again.message.id) == (first.digest, first.message_id)
    assert await store.messages.get(other.message_id) is None


async def test_equal_client_ids_of_others_do_not_collide(store: Store) -> None:
    """The same client_id of another user, or in another room, is another row."""
    room_id, elsewhere = await new_room(store, ANN, BOB), await new_room(store, ANN)
    first = said(ANN)
    await append(store, room_id, first, said(BOB, client_id=first.client_id))
    await append(store, elsewhere, said(ANN, client_id=first.client_id))
    heads = await store.rooms.heads([room_id, elsewhere])
    assert (heads[room_id].rev, heads[elsewhere].rev) == (4, 2)


@pytest.mark.parametrize("spoken_only", [True, False])
async def test_a_draft_twice_in_one_batch_is_stored_once(
    store: Store, *, spoken_only: bool
) -> None:
    """The second of two equal drafts in a batch is a duplicate of the first."""
    room_id = await new_room(store, ANN)
    first, second = said(ANN, "first"), said(ANN, "second")
    drafts = [first, first, second] + ([] if spoken_only else [reacted(ANN, first.id, "+1")])
    outcomes = await store.messages.append(room_id, epoch=EPOCH, after=1, drafts=drafts)
    assert [type(outcome) for outcome in outcomes[:3]] == [Stored, Duplicate, Stored]
    assert [outcome.message.rev for outcome in outcomes[:3]] == [2, 2, 3]


@pytest.mark.parametrize("spoken_only", [True, False])
async def test_another_text_under_a_client_id_of_the_same_batch_has_the_digest_of_the_first(
    store: Store, *, spoken_only: bool
) -> None:
    """Whoever compares digests sees that hers is not the text that is stored."""
    room_id = await new_room(store, ANN)
    first = said(ANN, "first", digest=b"of the first")
    other = said(ANN, "other", client_id=first.client_id, digest=b"of the other")
    drafts = [first, other] + ([] if spoken_only else [reacted(ANN, first.id, "+1")])
    stored, again = (await store.messages.append(room_id, epoch=EPOCH, after=1, drafts=drafts))[:2]
    assert again == Duplicate(
        rev=2, digest=first.digest, created_at=first.created_at, message=stored.message
    )
    assert await store.messages.get(other.message_id) is None


async def test_a_draft_twice_in_one_batch_keeps_its_first_place(store: Store) -> None:
    """The drafts between the two do not come before it."""
    room_id = await new_room(store, ANN)
    first, second = said(ANN, "first"), said(ANN, "second")
    outcomes = await store.messages.append(
        room_id, epoch=EPOCH, after=1, drafts=[first, second, first]
    )
    assert [outcome.message.rev for outcome in outcomes] == [2, 3, 2]


async def test_a_retried_change_shows_the_message_of_today(store: Store) -> None:
    """A duplicate has the first row's position and the message's present state."""
    room_id = await new_room(store, ANN)
    message = said(ANN, "one")
    change = edited(ANN, message.id, "two")
    await append(store, room_id, message, change, edited(ANN, message.id, "three"))
    (again,) = await store.messages.append(room_id, epoch=EPOCH, after=4, drafts=[change])
    assert isinstance(again, Duplicate)
    assert (again.rev, again.message.rev, texts([again.message])) == (3, 4, ["three"])


@pytest.mark.parametrize("after", [0, 1, 3, 99])
async def test_another_head_stores_nothing(store: Store, after: int) -> None:
    """The error names the true head when ``after`` is not it."""
    room_id = await new_room(store, ANN)
    await append(store, room_id, said(ANN))
    with pytest.raises(PositionTaken) as refused:
        await store.messages.append(room_id, epoch=EPOCH, after=after, drafts=[said(ANN)])
    assert refused.value.head == 2
    assert (await store.rooms.heads([room_id]))[room_id].rev == 2


async def test_a_stale_position_counts_for_a_retry_too(store: Store) -> None:
    """A duplicate is not answered on a head that is not the true one."""
    room_id = await new_room(store, ANN)
    first = said(ANN)
    await append(store, room_id, first)
    with pytest.raises(PositionTaken):
        await store.messages.append(room_id, epoch=EPOCH, after=1, drafts=[first])


async def test_another_epoch_stores_nothing(store: Store) -> None:
    """An epoch that is not the room's is refused."""
    room_id = await new_room(store, ANN)
    with pytest.raises(EpochChanged):
        await store.messages.append(room_id, epoch="deadbeef", after=1, drafts=[said(ANN)])
    assert (await store.rooms.heads([room_id]))[room_id].rev == 1


async def test_a_room_that_does_not_exist_takes_nothing(store: Store) -> None:
    """Appending without a room is refused."""
    with pytest.raises(NotStored):
        await store.messages.append(RoomId("nowhere"), epoch=EPOCH, after=0, drafts=[said(ANN)])


async def test_a_change_of_nothing_stores_nothing(store: Store) -> None:
    """A batch is refused whole when one row changes a message that does not exist."""
    room_id, elsewhere = await new_room(store, ANN), await new_room(store, ANN)
    (other,) = await append(store, elsewhere, said(ANN))
    for target in (MessageId("f" * 24), other.id):
        drafts = [said(ANN), reacted(ANN, target, "+1")]
        with pytest.raises(NotStored):
            await store.messages.append(room_id, epoch=EPOCH, after=1, drafts=drafts)
    assert (await store.rooms.heads([room_id]))[room_id].rev == 1


async def test_a_change_of_a_message_that_was_a_duplicate_stores_nothing(store: Store) -> None:
    """A batch is refused whole when the message it changes was not created by it after all."""
    room_id = await new_room(store, ANN)
    first = said(ANN)
    await append(store, room_id, first)
    impostor = said(ANN, client_id=first.client_id)
    drafts = [said(ANN), impostor, edited(ANN, impostor.id, "x")]
    with pytest.raises(NotStored):
        await store.messages.append(room_id, epoch=EPOCH, after=2, drafts=drafts)
    assert (await store.rooms.heads([room_id]))[room_id].rev == 2


async def test_outcomes_show_each_position_of_a_message(store: Store) -> None:
    """An outcome is the message as of its own row when a batch changes it several times."""
    room_id = await new_room(store, ANN, BOB)
    message = said(ANN, "one")
    one, thumb, two, gone = await append(
        store,
        room_id,
        message,
        reacted(BOB, message.id, "+1"),
        edited(ANN, message.id, "two"),
        deleted(ANN, message.id),
    )
    assert [m.rev for m in (one, thumb, two, gone)] == [3, 4, 5, 6]
    assert {m.seq for m in (one, thumb, two, gone)} == {3}
    assert thumb.reactions == {"+1": (BOB,)}
    assert (texts([two]), two.reactions) == (["two"], {"+1": (BOB,)})
    assert (gone.deleted, gone.content, gone.reactions) == (True, {}, {})
    assert await store.messages.get(message.message_id) == gone


async def test_a_deleted_message_is_not_brought_back(store: Store) -> None:
    """Rows after the deletion take positions and change nothing else."""
    room_id = await new_room(store, ANN)
    message = said(ANN)
    await append(store, room_id, message, deleted(ANN, message.id))
    edit, thumb = await append(
        store, room_id, edited(ANN, message.id, "back"), reacted(ANN, message.id, "+1")
    )
    assert (edit.deleted, edit.content, edit.rev) == (True, {}, 4)
    assert (thumb.deleted, thumb.reactions, thumb.rev) == (True, {}, 5)


async def test_reactions_keep_their_order(store: Store) -> None:
    """Users are listed once, in the order they reacted, until they take it back."""
    room_id = await new_room(store, ANN, BOB)
    (message,) = await append(store, room_id, said(ANN))
    await append(
        store,
        room_id,
        reacted(BOB, message.id, "b"),
        reacted(ANN, message.id, "b"),
        reacted(BOB, message.id, "b"),
        reacted(ANN, message.id, "a"),
        reacted(ANN, message.id, "a", on=False),
    )
    found = await store.messages.get(message.id)
    assert found is not None
    assert dict(found.reactions) == {"b": (BOB, ANN)}


async def test_memberships_show_the_rows_at_once(store: Store) -> None:
    """A leave is in the membership and the room when append returns."""
    room_id = await new_room(store, ANN, BOB)
    await append(store, room_id, said(ANN), left(ANN, heir=BOB), said(BOB))
    snapshot = await store.rooms.get(room_id)
    assert snapshot is not None
    assert [member.user_id for member in snapshot.members] == [BOB]
    assert snapshot.room.owner == BOB
    assert await store.members.get(room_id, ANN) is None
