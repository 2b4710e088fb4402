"""One inbox, several nodes, a server that fails: nothing is there twice, nothing leaves a hole."""

import asyncio
import random
from typing import Any

import pytest

from parley.storage.errors import OutcomeUnknown, StorageError, StorageUnavailable
from parley.storage.models import ClientId, Timestamp, UserId
from parley.storage.mongo import pushes
from parley.storage.mongo.database import MongoDatabase
from parley.storage.notifications import Added, Ending, NotificationDraft, PushTerms
from tests.storage.drafts import ANN, BOB, EVE
from tests.storage.inboxes import AT, notice
from tests.storage.mongo.failing import NO_MAJORITY, Failing
from tests.storage.stores import Store

pytestmark = pytest.mark.mongo

TERMS = PushTerms(due_at=Timestamp(1), most=1_000)


async def titles(store: Store, user: UserId = ANN) -> list[str]:
    """Return what an inbox has, oldest first, after looking that its log and its count are true."""
    page = await store.notifications.changes(user, after=0)
    kept = await store.notifications.listed(user, limit=1_000)
    assert page.dense
    assert page.last == (await store.notifications.heads([user]))[user].rev
    assert sorted(kept, key=lambda n: n.rev) == [n for n in page.notifications if not n.deleted]
    assert await store.notifications.unread(user) == sum(not n.read for n in kept)
    return [n.content["title"] for n in reversed(kept)]


async def until_known(store: Store, *drafts: NotificationDraft) -> list[Added]:
    """Add as the product does: after an error the same again."""
    while True:
        try:
            return list(await store.notifications.add(drafts))
        except StorageUnavailable:
            continue


# Several nodes


async def test_two_nodes_may_add_to_one_inbox(store: Store, elsewhere: Store) -> None:
    """Whatever else they do to it, one at a time or many, each keeps its order."""

    async def node(one: Store, name: str) -> None:
        chance = random.Random(name)
        for n in range(30):
            key = chance.choice([None, None, f"key {name}"])
            await until_known(one, notice(ANN, f"{name} {n:02}", collapse_key=key), notice(BOB))
            if not n % 5:
                await one.notifications.mark_read(ANN, at=AT, limit=2)

    await asyncio.gather(node(store, "a"), node(elsewhere, "b"))
    found = await titles(store)
    assert found == await titles(elsewhere)
    for name in "ab":
        own = [title for title in found if title.startswith(name)]
        assert own == sorted(own)
        assert own
    assert len(await titles(store, BOB)) == 60


async def test_one_request_from_two_nodes_at_once_is_one_row(
    store: Store, elsewhere: Store
) -> None:
    """Both get the same answer, and one of them is told that it was the second."""
    for n in range(20):
        key = {"collapse_key": "tea"} if n % 2 else {}
        drafts = [notice(ANN, "x", client_id=ClientId(f"c{n}"), **key) for _ in range(2)]
        answers = await asyncio.gather(
            until_known(store, drafts[0]), until_known(elsewhere, drafts[1])
        )
        (one,), (other,) = answers
        assert one.notification.id == other.notification.id
        assert sorted([one.duplicate, other.duplicate]) == [False, True]
    assert len(await titles(store)) == 10 + 1


async def test_who_is_overtaken_takes_the_next_positions(
    store: Store, elsewhere: Store, failing: Failing
) -> None:
    """All of its rows, in order, behind those of who was faster."""
    failing.commands("insert", blockConnection=True, blockTimeMS=300)
    adding = asyncio.create_task(store.notifications.add([notice(ANN, "b"), notice(ANN, "c")]))
    await failing.reached()
    await elsewhere.notifications.add([notice(ANN, "a")])
    assert [one.notification.rev for one in await adding] == [2, 3]
    assert await titles(store) == ["a", "b", "c"]


async def test_two_nodes_fill_the_outbox_and_no_more(
    store: Store, elsewhere: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though neither counts for each push what waits, and not sooner than in a second again."""
    monkeypatch.setattr(pushes, "COUNT_HOLDS_S", 3_600.0)
    terms = PushTerms(due_at=Timestamp(1), most=50)
    for _ in range(60):
        for one in (store, elsewhere):
            await one.notifications.add([notice(ANN)], push=terms)
    assert await store.pushes.size() == 50


async def test_a_full_outbox_is_looked_at_again(
    store: Store, elsewhere: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a moment: what was settled, here or elsewhere, has left room."""
    terms = PushTerms(due_at=Timestamp(1), most=1)
    monkeypatch.setattr(pushes, "COUNT_HOLDS_S", 0.0)
    first = notice(ANN)
    await store.notifications.add([first], push=terms)
    (added,) = await store.notifications.add([notice(ANN)], push=terms)
    assert added.push_refused
    await elsewhere.pushes.settle([first.id])
    (added,) = await store.notifications.add([notice(ANN)], push=terms)
    assert not added.push_refused


# One batch


async def test_what_is_there_already_takes_no_position_in_mid_batch(store: Store) -> None:
    """In one inbox and over several; what comes behind it gets the next position."""
    for users in ((ANN,), (ANN, BOB, EVE)):
        known = [notice(user, "known") for user in users]
        await store.notifications.add(known[:1])
        drafts = [notice(users[0], "before"), *known, notice(users[0], "behind")]
        added = await store.notifications.add(drafts)
        assert [one.duplicate for one in added] == [False, True, *[False] * len(users)]
    assert await titles(store) == ["known", "before", "behind"] * 2
    assert await titles(store, BOB) == ["known"]


async def test_of_equal_requests_in_one_batch_the_first_is_the_one(store: Store) -> None:
    """The other text is nowhere, and no answer says that it is stored."""
    same = {"client_id": ClientId("same")}
    for key in ({}, {"collapse_key": "tea"}):
        drafts = [notice(EVE, "one", **same), notice(EVE, "other", **same, **key)]
        first, second = await store.notifications.add(drafts)
        assert first.notification == second.notification
        assert second.duplicate
    assert await titles(store, EVE) == ["one"]


async def test_a_batch_of_which_one_row_is_refused_has_an_open_outcome(
    database: MongoDatabase, store: Store
) -> None:
    """By itself such a row fails for good, and no text of it is in the error."""
    rule = {"client_id": {"$ne": "refuse-me"}}
    await database.inbox.database.command("collMod", "inbox", validator=rule)
    bad = notice(ANN, "canary", client_id=ClientId("refuse-me"))
    try:
        for others in ([notice(ANN, "good")], [notice(BOB, "good")]):
            with pytest.raises(OutcomeUnknown):
                await store.notifications.add([*others, bad])
        # One by one, as it is several of several inboxes: the first of hers is stored by then.
        with pytest.raises(OutcomeUnknown):
            await store.notifications.add([notice(ANN, "too"), bad, notice(EVE, "good")])
        with pytest.raises(StorageError) as refused:
            await store.notifications.add([bad])
    finally:
        await database.inbox.database.command("collMod", "inbox", validator={})
    assert not isinstance(refused.value, OutcomeUnknown)
    assert "canary" not in str(refused.value)
    assert await titles(store) == ["good", "too"]
    assert await titles(store, BOB) == await titles(store, EVE) == ["good"]


# A server that fails


@pytest.mark.mongod
@pytest.mark.parametrize("key", [None, "tea"], ids=["plain", "collapse"])
async def test_without_a_majority_nothing_is_acknowledged(
    store: Store, failing: Failing, key: str | None
) -> None:
    """The same again gets one position, and one push."""
    await store.notifications.add([notice(ANN, "old", collapse_key=key)])
    draft = notice(ANN, "new", collapse_key=key)
    command = "insert" if key is None else "commitTransaction"
    failing.commands(command, times=None, writeConcernError=NO_MAJORITY)
    for _ in range(2):
        with pytest.raises(OutcomeUnknown):
            await store.notifications.add([draft], push=TERMS)
    failing.stop()
    (added,) = await store.notifications.add([draft], push=TERMS)
    assert added.notification.rev == (2 if key is None else 3)
    assert await titles(store) == (["old", "new"] if key is None else ["new"])
    assert await store.pushes.size() == 1


@pytest.mark.mongod
async def test_a_page_without_a_majority_is_added_again(store: Store, failing: Failing) -> None:
    """As a fan-out does: one for each inbox, in the end."""
    users = [UserId(f"user{n:02}") for n in range(40)]
    drafts = [notice(user, "x") for user in users]
    failing.commands("insert", writeConcernError=NO_MAJORITY)
    with pytest.raises(OutcomeUnknown):
        await store.notifications.add(drafts)
    added = await store.notifications.add(drafts)
    assert {one.notification.rev for one in added} == {1}
    assert [await titles(store, user) for user in users] == [["x"]] * len(users)


@pytest.mark.mongod
async def test_what_no_majority_has_is_in_the_way_of_all(
    store: Store, hasty: Store, failing: Failing
) -> None:
    """Neither its position nor its request is answered with, as both may be taken back."""
    draft = notice(ANN, "first")
    with failing.no_majority():
        for one in (draft, draft, notice(ANN, "second")):
            with pytest.raises(StorageUnavailable):
                await hasty.notifications.add([one])
    (first,) = await store.notifications.add([draft])
    (second,) = await store.notifications.add([notice(ANN, "third")])
    assert first.duplicate
    assert (first.notification.rev, second.duplicate) == (1, False)
    assert (await titles(store))[0] == "first"


@pytest.mark.mongod
@pytest.mark.parametrize(
    "how", [{"closeConnection": True}, {"errorCode": 6}, {"errorCode": 50}], ids=str
)
async def test_after_an_error_the_same_again_is_there_once(
    store: Store, failing: Failing, how: dict[str, Any]
) -> None:
    drafts = [notice(ANN, "a"), notice(ANN, "b"), notice(BOB, "c")]
    failing.commands("insert", times=None, **how)
    with pytest.raises(OutcomeUnknown):
        await store.notifications.add(drafts)
    failing.stop()
    await until_known(store, *drafts)
    assert (await titles(store), await titles(store, BOB)) == (["a", "b"], ["c"])


@pytest.mark.mongod
async def test_a_change_without_a_majority_is_made_once(store: Store, failing: Failing) -> None:
    """The count is true at each step: what the row did is there with it, or not at all."""
    first, second, third = (notice(ANN, title) for title in "abc")
    await store.notifications.add([first, second, third])
    for change in (
        lambda: store.notifications.mark_read(ANN, ids=[first.id], at=AT, limit=9),
        lambda: store.notifications.end(ANN, [second.id], how=Ending.DELETE, at=AT),
        lambda: store.notifications.retract(third.client_id, at=AT, limit=9),
    ):
        failing.commands("commitTransaction", times=None, writeConcernError=NO_MAJORITY)
        with pytest.raises(OutcomeUnknown):
            await change()
        failing.stop()
        await titles(store)
        await change()
        await titles(store)
    assert (await store.notifications.heads([ANN]))[ANN].rev == 6
    assert await store.notifications.unread(ANN) == 0


async def test_adding_cancelled_at_any_moment_stores_once(
    database: MongoDatabase, store: Store
) -> None:
    """However far one has come when it is cancelled; nothing is there twice or missing."""
    drafts = [notice(ANN, str(i)) for i in range(40)]
    for steps, draft in enumerate(drafts):
        adding = asyncio.create_task(store.notifications.add([draft]))
        for _ in range(steps):
            await asyncio.sleep(0)
        adding.cancel()
        await asyncio.wait([adding])
        await database.finished()
    await until_known(store, *drafts)
    assert sorted(map(int, await titles(store))) == list(range(40))
