"""`MessageRepository.purge` and `oldest`: what is old goes, and positions stay taken."""

from collections.abc import Sequence

from parley.storage.models import (
    Draft,
    Head,
    Purged,
    RoomId,
    Stored,
    Timestamp,
    Unread,
)
from tests.storage.drafts import (
    ANN,
    BOB,
    EPOCH,
    EVE,
    append,
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

OLD, NEW = Timestamp(1_000), Timestamp(2_000)
BETWEEN = Timestamp(1_500)


def old(text: str = "old", **fields: object) -> Draft:
    """Return a message that a purge before `BETWEEN` removes."""
    return said(ANN, text, created_at=OLD, **fields)


def new(text: str = "new") -> Draft:
    """Return a message that it keeps."""
    return said(ANN, text, created_at=NEW)


async def a_log(store: Store, *drafts: Draft) -> RoomId:
    """Store a room without members, so that ``drafts`` are at 1, 2, 3 …"""
    room_id = await new_room(store)
    await append(store, room_id, *drafts)
    return room_id


async def purge(store: Store, room_id: RoomId, limit: int = 100) -> Purged:
    """Remove what was changed last before `BETWEEN`."""
    return await store.messages.purge(room_id, before=BETWEEN, limit=limit)


async def kept(store: Store, room_id: RoomId) -> Sequence[str]:
    """Return the texts of the history."""
    return texts(await store.messages.history(room_id, limit=100))


async def test_what_is_old_goes(store: Store) -> None:
    """The floor says up to where, and nothing younger is touched."""
    room_id = await a_log(store, old("1"), old("2"), new("3"), new("4"))
    assert await purge(store, room_id) == Purged(removed=2, log_floor=2, more=False)
    assert await kept(store, room_id) == ["3", "4"]
    assert (await snapshot(store, room_id)).room.log_floor == 2
    assert await purge(store, room_id) == Purged(removed=0, log_floor=2, more=False)


async def test_a_step_is_short_and_says_if_there_is_more(store: Store) -> None:
    """At most ``limit`` rows go, the oldest first."""
    room_id = await a_log(store, *[old(str(i)) for i in range(4)], new("new"))
    assert await purge(store, room_id, 2) == Purged(removed=2, log_floor=2, more=True)
    assert await kept(store, room_id) == ["2", "3", "new"]
    assert await purge(store, room_id, 2) == Purged(removed=2, log_floor=4, more=False)
    assert await kept(store, room_id) == ["new"]


async def test_nothing_old_changes_nothing(store: Store) -> None:
    """The floor stays where it was, also in a room that is empty or is none."""
    room_id = await a_log(store, new(), new())
    nothing = Purged(removed=0, log_floor=0, more=False)
    assert await purge(store, room_id) == nothing
    assert await purge(store, await new_room(store)) == nothing
    assert await purge(store, RoomId("nowhere")) == nothing


async def test_the_head_stays_however_old_it_is(store: Store) -> None:
    """Its row and its message are kept, so the next position is a new one."""
    room_id = await a_log(store, old("1"), old("2"), old("3"))
    assert await purge(store, room_id) == Purged(removed=2, log_floor=2, more=False)
    assert await kept(store, room_id) == ["3"]
    assert await head_of(store, room_id) == Head(epoch=EPOCH, rev=3, log_floor=2)
    (after,) = await append(store, room_id, new())
    assert after.rev == 4


async def test_heads_tell_how_far_a_log_was_purged(store: Store) -> None:
    """With the floor that the room has, wherever a head comes from; a new row keeps it."""
    room_id = await a_log(store, old("1"), joined(BOB), new())
    assert (await head_of(store, room_id)).log_floor == 0
    await purge(store, room_id, 1)
    await append(store, room_id, new())
    head = Head(epoch=EPOCH, rev=4, log_floor=1)
    assert await head_of(store, room_id) == head
    assert [found for _, _, found in await store.members.of_user(BOB)] == [head]
    assert (await snapshot(store, room_id)).room.log_floor == 1


async def test_the_message_of_the_head_stays(store: Store) -> None:
    """A reaction as the last row keeps the message it is on, however old both are."""
    one = old("1")
    change = reacted(BOB, one.id, "+", created_at=OLD)
    room_id = await a_log(store, one, old("2"), change)
    assert (await purge(store, room_id)).removed == 1
    (message,) = await store.messages.history(room_id, limit=9)
    assert (message.seq, message.rev, message.reactions) == (1, 3, {"+": (BOB,)})


async def test_age_counts_from_the_latest_change(store: Store) -> None:
    """An old message that was changed lately stays as it is; its old rows are gone."""
    one = old("1")
    first = edited(ANN, one.id, "uno", created_at=OLD)
    second = reacted(BOB, one.id, "+", created_at=NEW)
    room_id = await a_log(store, one, first, old("2"), second, new())
    before = await store.messages.get(one.message_id)
    assert (await purge(store, room_id)).removed == 1
    assert await store.messages.get(one.message_id) == before
    assert await kept(store, room_id) == ["uno", "new"]
    page = await store.messages.changes(room_id, after=3)
    assert (texts(page.messages), page.dense) == (["uno", "new"], True)


async def test_a_message_that_was_kept_goes_when_its_change_is_old(store: Store) -> None:
    """It is not forgotten below the floor, and takes its changes with it."""
    one = old("1")
    change = edited(ANN, one.id, "uno", created_at=NEW)
    room_id = await a_log(store, one, old("2"), change, new("3"), new("4"))
    await purge(store, room_id)
    assert await kept(store, room_id) == ["uno", "3", "4"]
    later = await store.messages.purge(room_id, before=Timestamp(NEW + 1), limit=100)
    assert later == Purged(removed=2, log_floor=4, more=False)
    assert await store.messages.get(one.message_id) is None
    assert await store.messages.stored(room_id, ANN, change.client_id) is None
    assert await kept(store, room_id) == ["4"]


async def test_a_page_from_below_the_floor_is_not_dense(store: Store) -> None:
    """From the floor on it is, and it has everything."""
    room_id = await a_log(store, old(), old(), new("3"), new("4"))
    await purge(store, room_id)
    assert not (await store.messages.changes(room_id, after=0)).dense
    assert not (await store.messages.changes(room_id, after=1)).dense
    page = await store.messages.changes(room_id, after=2)
    assert (texts(page.messages), page.dense, page.more) == (["3", "4"], True, False)


async def test_no_read_shows_what_was_removed(store: Store) -> None:
    """Single messages, counts, lists and client_ids neither."""
    room_id = await new_room(store, ANN, BOB)
    one = old(mentions=[BOB])
    await append(store, room_id, one, old(mentions=[BOB]), joined(EVE), left(EVE))
    await store.messages.purge(room_id, before=Timestamp(1 << 50), limit=100)
    assert await store.messages.get(one.message_id) is None
    assert await store.messages.stored(room_id, ANN, one.client_id) is None
    nothing = Unread(count=0, mentions=0)
    assert await store.messages.unread(room_id, BOB, after=0) == nothing
    assert await store.members.unread(BOB) == {}
    (overview,) = await store.members.overviews(BOB, limit=9)
    assert (overview.unread, overview.last_message) == (nothing, None)
    assert (overview.head, overview.room.log_floor) == (6, 5)
    assert list(await store.messages.written_by(ANN, reader=BOB, limit=9)) == []


async def test_mentions_that_are_kept_count(store: Store) -> None:
    """Only those of removed messages go."""
    kept = said(ANN, mentions=[BOB, EVE], created_at=NEW)
    room_id = await a_log(store, old(mentions=[BOB]), kept, new())
    await purge(store, room_id)
    for user in (BOB, EVE):
        assert (await store.messages.unread(room_id, user, after=0)).mentions == 1


async def test_a_removed_client_id_is_new_again(store: Store) -> None:
    """Its retry is stored once more: that is why nobody purges the last 7 days."""
    one = old("1")
    room_id = await a_log(store, one, new())
    await purge(store, room_id)
    (outcome,) = await store.messages.append(
        room_id, epoch=EPOCH, after=2, drafts=[said(ANN, "1", client_id=one.client_id)]
    )
    assert isinstance(outcome, Stored)
    assert outcome.message.rev == 3


async def test_what_control_messages_did_stays(store: Store) -> None:
    """Members, roles, bans, name and settings do not depend on rows that are gone."""
    room_id = await new_room(store, ANN, BOB)
    await append(
        store,
        room_id,
        member(ANN, BOB, role="admin"),
        member(ANN, EVE, state="invited"),
        updated(ANN, name="Coffee"),
        said(ANN),
        said(ANN),
    )
    before = await snapshot(store, room_id)
    done = await store.messages.purge(room_id, before=Timestamp(1 << 50), limit=100)
    assert done == Purged(removed=6, log_floor=6, more=False)
    after = await snapshot(store, room_id)
    assert (after.members, after.head) == (before.members, before.head)
    assert (after.room.name, after.room.rev) == (before.room.name, before.room.rev)
    assert after.room.updated_at == before.room.updated_at
    await append(store, room_id, left(EVE, was="invited"), member(ANN, BOB, role="member"))
    assert await store.members.get(room_id, EVE) is None
    assert (await membership(store, room_id, BOB)).role == "member"


async def test_a_room_may_change_after_a_purge(store: Store) -> None:
    """A control row keeps the floor, and rows find the messages that stayed."""
    one, two = old("1"), new("2")
    room_id = await a_log(store, one, two, new("3"))
    await purge(store, room_id)
    await append(store, room_id, updated(ANN, name="Coffee"), deleted(ANN, two.id))
    assert (await snapshot(store, room_id)).room.log_floor == 1
    assert await kept(store, room_id) == ["", "3", ""]


async def test_a_row_of_a_fast_clock_holds_back_what_follows(store: Store) -> None:
    """Rows go in their order: what is behind one that is not old enough waits for it."""
    room_id = await a_log(store, old("1"), new("ahead"), old("3"), new("4"))
    assert await purge(store, room_id) == Purged(removed=1, log_floor=1, more=False)
    assert await kept(store, room_id) == ["ahead", "3", "4"]


async def test_the_oldest_is_the_first_that_is_kept(store: Store) -> None:
    """The first of all before a purge, then what stayed; in an empty room the next one."""
    one = old("1")
    room_id = await a_log(store, old("0"), one, old("2"), edited(ANN, one.id, "uno"), new("4"))
    assert await store.messages.oldest(room_id) == 1
    await purge(store, room_id)
    assert await store.messages.oldest(room_id) == 2
    await store.messages.purge(room_id, before=Timestamp(1 << 50), limit=100)
    assert await store.messages.oldest(room_id) == 5
    assert await store.messages.oldest(await new_room(store)) == 1
