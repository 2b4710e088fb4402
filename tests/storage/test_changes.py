"""`MessageRepository.changes` and the other reads of the log."""

import pytest

from parley.storage.models import UNREAD_CAP, MessageId, Page, RoomId, Unread
from tests.storage.drafts import (
    ANN,
    BOB,
    EVE,
    append,
    deleted,
    edited,
    joined,
    left,
    new_room,
    reacted,
    said,
    texts,
)
from tests.storage.stores import Store


async def test_changes_give_each_message_once_at_its_newest_row(store: Store) -> None:
    """A message that was changed twice comes once, where it was changed last."""
    room_id = await new_room(store, ANN)
    one, two = said(ANN, "one"), said(ANN, "two")
    await append(store, room_id, one, two, edited(ANN, one.id, "uno"), reacted(ANN, one.id, "+1"))
    page = await store.messages.changes(room_id, after=1)
    assert texts(page.messages) == ["two", "uno"]
    assert [message.rev for message in page.messages] == [3, 5]
    assert (page.last, page.more, page.dense) == (5, False, True)


async def test_a_message_comes_with_the_page_of_its_newest_row(store: Store) -> None:
    """A page leaves out what changes again after its end."""
    room_id = await new_room(store, ANN)
    one, two = said(ANN, "one"), said(ANN, "two")
    await append(store, room_id, one, two, edited(ANN, one.id, "uno"))
    first = await store.messages.changes(room_id, after=1, limit=2)
    assert (texts(first.messages), first.last, first.more) == (["two"], 3, True)
    rest = await store.messages.changes(room_id, after=first.last, limit=2)
    assert (texts(rest.messages), rest.last, rest.more) == (["uno"], 4, False)


async def test_a_page_may_be_empty_and_have_more(store: Store) -> None:
    """The limit counts rows, also those whose message comes later."""
    room_id = await new_room(store, ANN)
    one = said(ANN, "one")
    await append(store, room_id, one, edited(ANN, one.id, "uno"))
    page = await store.messages.changes(room_id, after=1, limit=1)
    assert page == Page(messages=(), last=2, more=True)


@pytest.mark.parametrize("after", [2, 50])
async def test_nothing_new_keeps_the_cursor(store: Store, after: int) -> None:
    """``last`` is the asked-for position when there is no row after it."""
    room_id = await new_room(store, ANN)
    await append(store, room_id, said(ANN))
    page = await store.messages.changes(room_id, after=after, limit=10)
    assert page == Page(messages=(), last=after, more=False)


async def test_a_limit_that_fits_exactly_has_no_more(store: Store) -> None:
    """``more`` is False when the page ends at the head."""
    room_id = await new_room(store, ANN)
    await append(store, room_id, said(ANN), said(ANN))
    assert not (await store.messages.changes(room_id, after=0, limit=3)).more
    assert (await store.messages.changes(room_id, after=0, limit=2)).more


async def test_rooms_do_not_mix(store: Store) -> None:
    """A room's changes and history are its own."""
    room_id, elsewhere = await new_room(store, ANN), await new_room(store, ANN)
    await append(store, room_id, said(ANN, "here"))
    await append(store, elsewhere, said(ANN, "there"))
    assert texts((await store.messages.changes(room_id, after=1)).messages) == ["here"]
    assert texts(await store.messages.history(elsewhere, limit=1)) == ["there"]
    nowhere = RoomId("nowhere")
    assert await store.messages.changes(nowhere, after=0) == Page(messages=(), last=0, more=False)
    assert list(await store.messages.history(nowhere, limit=5)) == []


async def test_history_pages_both_ways(store: Store) -> None:
    """``before`` gives the newest below it, ``after`` the oldest above it, rising by seq."""
    room_id = await new_room(store, ANN)
    stored = await append(store, room_id, *[said(ANN, str(i)) for i in range(2, 10)])
    await append(store, room_id, edited(ANN, stored[0].id, "two"))
    history = store.messages.history
    assert texts(await history(room_id, limit=3)) == ["7", "8", "9"]
    assert texts(await history(room_id, limit=3, before=5)) == ["two", "3", "4"]
    assert texts(await history(room_id, limit=3, after=5)) == ["6", "7", "8"]
    assert texts(await history(room_id, limit=3, after=9)) == []
    assert texts(await history(room_id, limit=9, after=1, floor=8)) == ["8", "9"]
    assert texts(await history(room_id, limit=9, before=4, floor=3)) == ["3"]
    assert len(await history(room_id, limit=100)) == 9


async def test_get_of_nothing_is_none(store: Store) -> None:
    """An unknown message id has no message, nor has the id of another row."""
    room_id = await new_room(store, ANN)
    message = said(ANN)
    edit = edited(ANN, message.id, "x")
    await append(store, room_id, message, edit)
    assert await store.messages.get(MessageId(edit.id)) is None
    assert await store.messages.get(MessageId("0" * 24)) is None


async def test_unread_counts_what_others_said(store: Store) -> None:
    """Own, deleted and control messages are not unread."""
    room_id = await new_room(store, ANN, BOB)
    gone = said(BOB, "gone", mentions=[ANN])
    await append(
        store,
        room_id,
        said(BOB, "before", mentions=[ANN]),
        said(ANN, "mine", mentions=[ANN, BOB]),
        said(BOB, "plain", mentions=[BOB]),
        gone,
        joined(EVE),
        left(EVE),
        said(BOB, "for you", mentions=[EVE, ANN, ANN]),
        deleted(BOB, gone.id),
    )
    assert await store.messages.unread(room_id, ANN, after=3) == Unread(count=2, mentions=1)
    assert await store.messages.unread(room_id, BOB, after=2) == Unread(count=1, mentions=1)
    assert await store.messages.unread(room_id, ANN, after=99) == Unread(count=0, mentions=0)


async def test_an_edit_changes_who_is_mentioned(store: Store) -> None:
    """Mentions are those of the present text."""
    room_id = await new_room(store, ANN, BOB, EVE)
    message = said(BOB, "ann", mentions=[ANN])
    await append(store, room_id, message, edited(BOB, message.id, "eve", mentions=[EVE]))
    assert (await store.messages.unread(room_id, ANN, after=0)).mentions == 0
    assert (await store.messages.unread(room_id, EVE, after=0)).mentions == 1


async def test_unread_is_counted_up_to_the_cap(store: Store) -> None:
    """Both counts end at `UNREAD_CAP`."""
    room_id = await new_room(store, ANN, BOB)
    await append(store, room_id, *[said(BOB, mentions=[ANN]) for _ in range(UNREAD_CAP + 5)])
    capped = Unread(count=UNREAD_CAP, mentions=UNREAD_CAP)
    assert await store.messages.unread(room_id, ANN, after=0) == capped
