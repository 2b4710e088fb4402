"""`MuteRepository`, `PublicationRepository`, `PushOutbox`."""

from dataclasses import replace

from parley.storage.models import ClientId, RoomId, Timestamp
from parley.storage.notifications import Audience, Ending, PublicationId, PushTerms
from tests.storage.drafts import ANN, BOB, EVE
from tests.storage.inboxes import AT, notice, publication
from tests.storage.stores import Store

TEA, CAKE = RoomId("a" * 24), RoomId("b" * 24)


# Mutes


async def test_a_room_is_muted_for_one_user(store: Store) -> None:
    for _ in range(2):
        await store.mutes.set_muted(ANN, TEA, muted=True)
    await store.mutes.set_muted(ANN, CAKE, muted=True)
    await store.mutes.set_muted(BOB, CAKE, muted=True)
    assert await store.mutes.of_user(ANN) == [TEA, CAKE]
    assert set(await store.mutes.muting(CAKE, [ANN, BOB, EVE])) == {ANN, BOB}
    assert set(await store.mutes.muting(TEA, [BOB, EVE])) == set()
    for _ in range(2):
        await store.mutes.set_muted(ANN, TEA, muted=False)
    assert await store.mutes.of_user(ANN) == [CAKE]


# Publications


async def test_a_publication_is_begun_once(store: Store) -> None:
    first = publication(
        audience=Audience(room_id=TEA), dedupe_key="d", collapse_key="c", expires_at=Timestamp(9)
    )
    assert await store.publications.begin(first) == first
    assert await store.publications.begin(publication(digest=b"other")) == first
    other = publication(publisher=BOB, audience=Audience(everyone=True))
    assert await store.publications.begin(other) == other
    assert await store.publications.get(first.id) == first
    assert await store.publications.get(PublicationId("0" * 24)) is None


async def test_a_publication_is_gone_on_with_until_it_is_finished(store: Store) -> None:
    first, second = publication(), publication(client_id=ClientId("01HZX3W9A2"))
    for one in (first, second):
        await store.publications.begin(one)
    half = replace(first, done=1, stored=1, after=ANN)
    await store.publications.advance(half)
    assert await store.publications.unfinished() == [half, second]
    await store.publications.advance(replace(half, done=2, after=BOB, finished=True))
    assert await store.publications.unfinished() == [second]


async def test_a_publication_never_goes_back(store: Store) -> None:
    """Whoever is behind another, or does not know that it is finished, is not believed."""
    first = await store.publications.begin(publication())
    far = replace(first, done=2, stored=2, after=BOB)
    await store.publications.advance(far)
    await store.publications.advance(replace(first, done=1, after=ANN))
    assert await store.publications.get(first.id) == far
    await store.publications.advance(replace(far, finished=True))
    await store.publications.advance(replace(far, done=3, after=EVE))
    assert await store.publications.get(first.id) == replace(far, finished=True)
    assert await store.publications.unfinished() == []


async def test_only_what_is_finished_and_old_is_forgotten(store: Store) -> None:
    done = publication(finished=True)
    late = publication(client_id=ClientId("01HZX3W9A2"), finished=True, created_at=AT + 5)
    open_ = publication(client_id=ClientId("01HZX3W9A3"))
    for one in (done, late, open_):
        await store.publications.begin(one)
    assert await store.publications.forget(before=Timestamp(AT + 1)) == 1
    found = [await store.publications.get(one.id) for one in (done, late, open_)]
    assert found == [None, late, open_]


async def test_a_checkpoint_is_kept(store: Store) -> None:
    assert await store.publications.checkpoint("chat") is None
    for position in ("a", "b"):
        await store.publications.keep_checkpoint("chat", position)
    assert await store.publications.checkpoint("chat") == "b"
    assert await store.publications.checkpoint("mail") is None


# Pushes


async def test_pushes_come_when_they_are_due(store: Store) -> None:
    drafts = [notice(ANN, "1"), notice(BOB, "2"), notice(ANN, "3")]
    for draft, at in zip(drafts, (30, 10, 20), strict=True):
        terms = PushTerms(due_at=Timestamp(at), most=9)
        await store.notifications.add([draft], push=terms)
    assert await store.pushes.next_due() == 10
    due = await store.pushes.due(now=Timestamp(20), limit=9)
    assert [(push.notification.content["title"], push.tries) for push in due] == [
        ("2", 0),
        ("3", 0),
    ]
    await store.pushes.postpone(drafts[1].id, due_at=Timestamp(40))
    due = await store.pushes.due(now=Timestamp(99), limit=9)
    assert [(push.notification.id, push.tries) for push in due] == [
        (drafts[2].id, 0),
        (drafts[0].id, 0),
        (drafts[1].id, 1),
    ]
    assert len(await store.pushes.due(now=Timestamp(99), limit=1)) == 1


async def test_a_push_shows_what_became_of_its_notification(store: Store) -> None:
    drafts = [notice(ANN, "1"), notice(ANN, "2")]
    await store.notifications.add(drafts, push=PushTerms(due_at=Timestamp(1), most=9))
    await store.notifications.mark_read(ANN, ids=[drafts[0].id], at=AT, limit=9)
    await store.notifications.end(ANN, [drafts[1].id], how=Ending.DELETE, at=AT)
    due = await store.pushes.due(now=Timestamp(1), limit=9)
    assert {(push.notification.read, push.notification.deleted) for push in due} == {
        (True, False),
        (False, True),
    }


async def test_a_settled_push_is_gone_and_leaves_room(store: Store) -> None:
    terms = PushTerms(due_at=Timestamp(1), most=1)
    first = notice(ANN)
    await store.notifications.add([first], push=terms)
    for _ in range(2):
        await store.pushes.settle([first.id])
    assert (await store.pushes.size(), await store.pushes.next_due()) == (0, None)
    (added,) = await store.notifications.add([notice(ANN)], push=terms)
    assert not added.push_refused
