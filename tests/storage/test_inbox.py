"""`NotificationRepository`."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest

from parley.storage.models import UNREAD_CAP, ClientId, Timestamp, UserId
from parley.storage.notifications import (
    Ending,
    Notification,
    NotificationId,
    PushTerms,
    told_of,
)
from tests.storage.drafts import ANN, BOB, EVE, append, head_of, new_room, said
from tests.storage.inboxes import AT, InboxModel, notice
from tests.storage.stores import Store


async def add(store: Store, user: UserId, *titles: str) -> list[Notification]:
    added = await store.notifications.add([notice(user, title) for title in titles])
    return [one.notification for one in added]


def titles(notifications: Sequence[Notification]) -> list[str]:
    return [n.content.get("title", "") for n in notifications]


async def test_notifications_take_positions_of_their_own_inbox(store: Store) -> None:
    drafts = [notice(ANN, "1"), notice(BOB, "1"), notice(ANN, "2")]
    added = await store.notifications.add(drafts)
    assert [(a.notification.user_id, a.notification.rev) for a in added] == [
        (ANN, 1),
        (BOB, 1),
        (ANN, 2),
    ]
    heads = await store.notifications.heads([ANN, BOB, EVE])
    assert [heads[user].rev for user in (ANN, BOB, EVE)] == [2, 1, 0]
    assert len({head.epoch for head in heads.values()}) == 1


async def test_adding_at_once_leaves_no_hole(store: Store) -> None:
    await asyncio.gather(*(add(store, ANN, str(n), str(n)) for n in range(20)))
    page = await store.notifications.changes(ANN, after=0)
    assert [n.rev for n in page.notifications] == list(range(1, 41))
    assert (page.dense, page.more, page.last) == (True, False, 40)


async def test_the_same_again_stores_nothing(store: Store) -> None:
    """A duplicate is known by inbox and client_id, in one batch as well, whatever became of it."""
    first = notice(ANN, client_id=ClientId("one-of-many"))
    others = [notice(user, client_id=first.client_id) for user in (ANN, BOB, ANN)]
    added = await store.notifications.add([first, *others])
    assert [one.duplicate for one in added] == [False, True, False, True]
    assert added[1].notification == added[0].notification
    await store.notifications.end(ANN, [first.id], how=Ending.DELETE, at=AT)
    (again,) = await store.notifications.add([notice(ANN, client_id=first.client_id)])
    assert again.duplicate
    assert again.notification.deleted
    assert (await store.notifications.heads([ANN]))[ANN].rev == 2


async def test_reading_is_a_row_for_each(store: Store) -> None:
    first, second, third = await add(store, ANN, "1", "2", "3")
    read = store.notifications.mark_read
    assert await read(ANN, ids=[third.id, NotificationId("0" * 24), third.id], at=AT, limit=9) == 1
    assert await read(ANN, ids=[third.id], at=AT, limit=9) == 0
    assert await read(ANN, upto=2, at=AT, limit=1) == 1
    page = await store.notifications.changes(ANN, after=3)
    assert [(n.id, n.rev, n.read) for n in page.notifications] == [
        (third.id, 4, True),
        (first.id, 5, True),
    ]
    assert await store.notifications.unread(ANN) == 1
    assert await store.notifications.listed(ANN, unread=True, limit=9) == [second]
    assert await read(BOB, at=AT, limit=9) == 0
    assert await read(ANN, at=AT, limit=9) == 1
    assert await store.notifications.unread(ANN) == 0


async def test_nobody_reads_or_deletes_what_is_anothers(store: Store) -> None:
    (hers,) = await add(store, ANN, "1")
    assert await store.notifications.mark_read(BOB, ids=[hers.id], at=AT, limit=9) == 0
    assert await store.notifications.end(BOB, [hers.id], how=Ending.DELETE, at=AT) == 0
    assert await store.notifications.listed(ANN, limit=9) == [hers]


async def test_what_has_ended_says_nothing_any_more(store: Store) -> None:
    first, second = await add(store, ANN, "1", "2")
    assert await store.notifications.end(ANN, [first.id], how=Ending.DELETE, at=AT) == 1
    assert await store.notifications.end(ANN, [first.id], how=Ending.DELETE, at=AT) == 0
    page = await store.notifications.changes(ANN, after=2)
    [gone] = page.notifications
    assert (gone.id, gone.rev, gone.content, gone.deleted) == (first.id, 3, {}, True)
    assert await store.notifications.listed(ANN, limit=9) == [second]
    assert await store.notifications.unread(ANN) == 1


async def test_a_newer_one_takes_the_place_of_its_collapse_key(store: Store) -> None:
    """Each inbox by itself; what was read gives way too; what has ended does not come again."""
    key = {"collapse_key": "build"}
    drafts = [notice(ANN, "1", **key), notice(BOB, "1", **key), notice(ANN, "2", **key)]
    added = await store.notifications.add(drafts)
    assert [one.notification.rev for one in added] == [1, 1, 3]
    await store.notifications.mark_read(ANN, at=AT, limit=9)
    await store.notifications.add([notice(ANN, "3", **key)])
    assert titles(await store.notifications.listed(ANN, limit=9)) == ["3"]
    assert titles(await store.notifications.listed(BOB, limit=9)) == ["1"]
    (again,) = await store.notifications.add([drafts[0]])
    assert again.duplicate
    assert titles(await store.notifications.listed(ANN, limit=9)) == ["3"]


async def test_notifications_end_at_their_time(store: Store) -> None:
    times = [5, 3, 9, None]
    drafts = [notice(ANN, str(t), expires_at=t and Timestamp(t)) for t in times]
    await store.notifications.add([*drafts, notice(BOB, "4", expires_at=Timestamp(4))])
    assert await store.notifications.expire(now=Timestamp(2), limit=9) == {}
    assert await store.notifications.expire(now=Timestamp(5), limit=2) == {ANN: 5, BOB: 2}
    assert await store.notifications.expire(now=Timestamp(5), limit=2) == {ANN: 6}
    assert await store.notifications.expire(now=Timestamp(5), limit=2) == {}
    assert titles(await store.notifications.listed(ANN, limit=9)) == ["None", "9"]


async def test_old_ones_end_where_that_is_wanted(store: Store) -> None:
    drafts = [notice(ANN, str(at), created_at=Timestamp(at)) for at in (1, 2, 3)]
    await store.notifications.add([*drafts, notice(ANN, "x", expires_at=Timestamp(9))])
    expire = store.notifications.expire
    assert await expire(now=Timestamp(9), made_before=Timestamp(3), limit=9) == {ANN: 5}
    assert await expire(now=Timestamp(9), made_before=Timestamp(3), limit=1) == {ANN: 6}
    assert await expire(now=Timestamp(9), made_before=Timestamp(3), limit=9) == {ANN: 7}
    assert await expire(now=Timestamp(9), made_before=Timestamp(3), limit=9) == {}
    assert titles(await store.notifications.listed(ANN, limit=9)) == ["3"]


async def test_what_has_ended_long_ago_is_removed_for_good(store: Store) -> None:
    """With all of its rows; never the row at the head, and what is kept stays as it is."""
    drafts = [notice(ANN, str(n)) for n in range(4)]
    await store.notifications.add([*drafts, notice(BOB)])
    await store.notifications.mark_read(ANN, upto=2, at=Timestamp(1), limit=9)
    for at, draft in ((10, drafts[0]), (20, drafts[1]), (30, drafts[2])):
        await store.notifications.end(ANN, [draft.id], how=Ending.DELETE, at=Timestamp(at))
    before = await store.notifications.listed(ANN, limit=9)
    assert await store.notifications.purge(before=Timestamp(10), limit=9) == 0
    assert await store.notifications.purge(before=Timestamp(99), limit=1) == 1
    page = await store.notifications.changes(ANN, after=0)
    assert (page.dense, page.last) == (False, 9)
    assert await store.notifications.purge(before=Timestamp(99), limit=9) == 1
    assert await store.notifications.purge(before=Timestamp(99), limit=9) == 0
    assert await store.notifications.listed(ANN, limit=9) == before
    page = await store.notifications.changes(ANN, after=8)
    assert [(n.id, n.deleted) for n in page.notifications] == [(drafts[2].id, True)]
    (again,) = await store.notifications.add([drafts[0]])
    assert (again.duplicate, again.notification.rev) == (False, 10)
    assert len(await store.notifications.listed(BOB, limit=9)) == 1


async def test_what_is_about_one_thing_is_taken_back(store: Store) -> None:
    about = {"client_id": ClientId("msg:1")}
    await store.notifications.add([notice(u, "1", **about) for u in (ANN, BOB, EVE)])
    await add(store, ANN, "2")
    ended = dict[UserId, int]()
    while some := await store.notifications.retract(about["client_id"], at=AT, limit=2):
        ended |= some
    assert ended == {ANN: 3, BOB: 2, EVE: 2}
    assert titles(await store.notifications.listed(ANN, limit=9)) == ["2"]
    assert titles(await store.notifications.listed(EVE, limit=9)) == []


async def test_what_is_about_one_thing_is_put_another_way(store: Store) -> None:
    """Each is changed once, where it is and as unread as it was; none that has ended."""
    about = {"client_id": ClientId("msg:1")}
    added = await store.notifications.add([notice(u, "1", **about) for u in (ANN, BOB, EVE)])
    of_ann, of_bob, of_eve = (one.notification for one in added)
    await add(store, ANN, "2")
    await store.notifications.mark_read(BOB, ids=[of_bob.id], at=AT, limit=9)
    await store.notifications.end(EVE, [of_eve.id], how=Ending.DELETE, at=AT)
    revised = dict[UserId, int]()
    content = {"title": "one"}
    among = [ANN, BOB, EVE]
    while some := await store.notifications.revise(
        about["client_id"], among=among, content=content, at=AT, limit=1
    ):
        assert len(some) == 1
        revised |= some
    assert revised == {ANN: 3, BOB: 3}
    page = await store.notifications.changes(ANN, after=2)
    assert page.notifications == (replace(of_ann, rev=3, content=content),)
    (kept,) = await store.notifications.listed(BOB, limit=9)
    assert kept == replace(of_bob, rev=3, content=content, read=True)
    assert titles(await store.notifications.listed(ANN, limit=9)) == ["2", "one"]
    assert (await store.notifications.heads([EVE]))[EVE].rev == 2


async def test_what_is_about_one_thing_is_changed_for_some(store: Store) -> None:
    about = ClientId("msg:1")
    await store.notifications.add([notice(u, "1", client_id=about) for u in (ANN, BOB, EVE)])
    await store.notifications.add([notice(UserId("zed"), "2")])
    assert set(await store.notifications.holders(about)) == {ANN, BOB, EVE}
    content = {"title": "one"}
    revised = await store.notifications.revise(
        about, among=[ANN, UserId("zed")], content=content, at=AT, limit=9
    )
    assert revised == {ANN: 2}
    assert await store.notifications.retract(about, among=[BOB], at=AT, limit=9) == {BOB: 2}
    assert set(await store.notifications.holders(about)) == {ANN, EVE}
    assert titles(await store.notifications.listed(ANN, limit=9)) == ["one"]
    assert titles(await store.notifications.listed(EVE, limit=9)) == ["1"]


async def test_what_is_about_a_deleted_room_ends_with_it(store: Store) -> None:
    """A step at a time, before the messages go, and nothing else."""
    gone, other = [await new_room(store, ANN, BOB) for _ in range(2)]
    stored = await append(store, gone, *(said(ANN, str(n)) for n in range(3)))
    (kept,) = await append(store, other, said(ANN))
    for message in (*stored, kept):
        about = told_of(message.id)
        drafts = [notice(user, message.room_id, client_id=about) for user in (BOB, EVE)]
        await store.notifications.add(drafts)
    await add(store, BOB, "of itself")
    head = await head_of(store, gone)
    await store.rooms.delete(
        gone, epoch=head.epoch, after=head.rev, new_epoch="11111111", at=Timestamp(5)
    )
    left: list[int] = []
    while await store.rooms.sweep(limit=2):
        listed = [await store.notifications.listed(user, limit=9) for user in (BOB, EVE)]
        left.append(sum(titles(one).count(gone) for one in listed))
    assert left[-1] == 0
    assert max(before - after for before, after in pairwise([6, *left])) == 2
    assert titles(await store.notifications.listed(BOB, limit=9)) == ["of itself", other]
    assert titles(await store.notifications.listed(EVE, limit=9)) == [other]
    assert (await store.notifications.heads([EVE]))[EVE].rev == 4 + 3


async def test_lists_go_back_without_overlap(store: Store) -> None:
    stored = await add(store, ANN, "1", "2", "3", "4", "5")
    newest = await store.notifications.listed(ANN, limit=2)
    older = await store.notifications.listed(ANN, before=newest[-1].seq, limit=9)
    assert [*newest, *older] == stored[::-1]


async def test_pages_of_changes_meet(store: Store) -> None:
    first, *_ = await add(store, ANN, "1", "2", "3")
    await store.notifications.mark_read(ANN, ids=[first.id], at=AT, limit=1)
    pages = [await store.notifications.changes(ANN, after=after, limit=2) for after in (0, 2, 4)]
    assert [[n.rev for n in page.notifications] for page in pages] == [[2], [3, 4], []]
    assert [(page.last, page.more) for page in pages] == [(2, True), (4, False), (4, False)]


async def test_unread_is_counted_up_to_the_cap(store: Store) -> None:
    for _ in range(3):
        await add(store, ANN, *map(str, range(UNREAD_CAP // 2)))
    assert await store.notifications.unread(ANN) == UNREAD_CAP


async def test_pushes_are_entered_with_what_is_new(store: Store) -> None:
    draft = notice(ANN)
    terms = PushTerms(due_at=Timestamp(50), most=2)
    for _ in range(2):
        await store.notifications.add([draft], push=terms)
    assert await store.pushes.size() == 1
    added = await store.notifications.add([notice(ANN), notice(BOB)], push=terms)
    assert [one.push_refused for one in added] == [False, True]
    assert titles(await store.notifications.listed(BOB, limit=9)) == ["Tea"]
    assert await store.pushes.size() == 2


async def test_what_is_there_already_takes_no_place_in_the_outbox(store: Store) -> None:
    known = [notice(ANN), notice(BOB, collapse_key="tea")]
    await store.notifications.add(known)
    terms = PushTerms(due_at=Timestamp(50), most=2)
    added = await store.notifications.add([*known, notice(ANN), notice(BOB)], push=terms)
    assert [(one.duplicate, one.push_refused) for one in added] == [
        *[(True, False)] * 2,
        *[(False, False)] * 2,
    ]
    assert await store.pushes.size() == 2


@pytest.mark.parametrize("seed", range(20))
async def test_any_history_is_that_of_the_model(store: Store, seed: int) -> None:
    """Also what changed after each position, at any page size."""
    chance = random.Random(seed)
    model = InboxModel(ANN)
    drafts = [notice(ANN, str(n), collapse_key=chance.choice([None, "a", "b"])) for n in range(30)]
    for _ in range(60):
        ids = [draft.id for draft in chance.sample(drafts, 4)]
        match chance.randrange(4):
            case 0 | 1:
                draft = chance.choice(drafts)
                (added,) = await store.notifications.add([draft])
                assert added.duplicate is not model.add(draft)
            case 2:
                read = await store.notifications.mark_read(ANN, ids=ids, at=AT, limit=9)
                assert read == model.read(*ids)
            case _:
                ended = await store.notifications.end(ANN, ids, how=Ending.DELETE, at=AT)
                assert ended == model.end(*ids)
        assert await store.notifications.unread(ANN) == model.unread
    assert await store.notifications.listed(ANN, limit=99) == model.listed()
    for after in range(model.rev + 1):
        page = await store.notifications.changes(ANN, after=after)
        assert list(page.notifications) == model.changes(after)
    walked, at = list[Notification](), 0
    while (page := await store.notifications.changes(ANN, after=at, limit=3)).notifications or (
        page.more
    ):
        walked += page.notifications
        at = page.last
    assert walked == model.changes(0)
