"""What one node at a time may work on: fan-outs, pushes, and what each has told by itself."""

import asyncio
from dataclasses import replace

import pytest

from parley.storage.models import Timestamp, UserId
from parley.storage.mongo.database import MongoDatabase
from parley.storage.mongo.pushes import HELD_MS
from parley.storage.notifications import Publication, PushTerms
from tests.storage.drafts import ANN, BOB
from tests.storage.inboxes import notice, publication
from tests.storage.mongo.failing import Failing
from tests.storage.stores import Store

pytestmark = pytest.mark.mongo

NOW = Timestamp(1_000)
TERMS = PushTerms(due_at=NOW, most=1_000)


async def all_silent(database: MongoDatabase) -> None:
    """Let it be long ago that anything was heard of who is at a fan-out."""
    await database.publications.update_many({}, {"$set": {"held_until": 0}})


# Fan-outs


async def test_a_fan_out_is_gone_on_with_elsewhere_when_its_node_is_silent(
    database: MongoDatabase, store: Store, elsewhere: Store
) -> None:
    begun = await store.publications.begin(publication())
    half = replace(begun, done=1, stored=1, after=ANN)
    await store.publications.advance(half)
    assert await elsewhere.publications.unfinished() == []
    await all_silent(database)
    assert await elsewhere.publications.unfinished() == [half]
    assert await store.publications.unfinished() == []  # it is the other's from now on
    await elsewhere.publications.advance(replace(half, done=2, after=BOB, finished=True))
    await all_silent(database)
    assert await store.publications.unfinished() == []


async def test_a_sign_of_life_keeps_a_fan_out(
    database: MongoDatabase, store: Store, elsewhere: Store
) -> None:
    begun = await store.publications.begin(publication())
    await all_silent(database)
    await store.publications.advance(replace(begun, done=1, after=ANN))
    assert await elsewhere.publications.unfinished() == []


async def test_of_many_nodes_one_takes_a_fan_out(
    database: MongoDatabase, store: Store, elsewhere: Store
) -> None:
    publications = [publication(client_id=f"01HZX3W9{n:02}") for n in range(20)]
    for one in publications:
        await store.publications.begin(one)
    await database.publications.update_many({}, {"$set": {"holder": "dead", "held_until": 0}})
    taken = await asyncio.gather(
        store.publications.unfinished(), elsewhere.publications.unfinished()
    )
    found: list[Publication] = [*taken[0], *taken[1]]
    assert sorted(one.id for one in found) == sorted(one.id for one in publications)


async def test_a_publication_is_begun_once_on_two_nodes(store: Store, elsewhere: Store) -> None:
    one, other = publication(), publication(digest=b"other")
    begun = await asyncio.gather(store.publications.begin(one), elsewhere.publications.begin(other))
    assert begun[0] == begun[1]


# Pushes


async def test_of_many_nodes_one_has_a_push(store: Store, elsewhere: Store) -> None:
    users = [UserId(f"user{n:02}") for n in range(30)]
    drafts = [notice(user) for user in users]
    await store.notifications.add(drafts, push=TERMS)
    both = (store.pushes, elsewhere.pushes)
    due = await asyncio.gather(*(outbox.due(now=NOW, limit=20) for outbox in both))
    due += await asyncio.gather(*(outbox.due(now=NOW, limit=99) for outbox in both))
    first, second = ({push.notification.id for push in some} for some in due[2:])
    assert not first & second
    assert first | second == {draft.id for draft in drafts}
    assert {push.notification.id for push in due[0]} <= first  # what one has it keeps


@pytest.mark.mongod
async def test_who_is_too_late_has_no_push(
    store: Store, elsewhere: Store, failing: Failing
) -> None:
    """Both have seen it free; one has taken it by then."""
    await store.notifications.add([notice(ANN)], push=TERMS)
    failing.commands("update", blockConnection=True, blockTimeMS=300)
    taking = asyncio.create_task(store.pushes.due(now=NOW, limit=9))
    await failing.reached()
    assert len(await elsewhere.pushes.due(now=NOW, limit=9)) == 1
    assert await taking == []


async def test_a_push_of_a_node_that_died_is_anothers(store: Store, elsewhere: Store) -> None:
    """Not a moment before; and while it lives, looking again holds on to it."""
    draft = notice(ANN)
    await store.notifications.add([draft], push=TERMS)
    assert len(await store.pushes.due(now=NOW, limit=9)) == 1
    later = Timestamp(NOW + HELD_MS - 1)
    assert await elsewhere.pushes.due(now=later, limit=9) == []
    assert await elsewhere.pushes.next_due() == NOW + HELD_MS
    assert len(await store.pushes.due(now=later, limit=9)) == 1
    assert await elsewhere.pushes.due(now=Timestamp(NOW + HELD_MS), limit=9) == []
    (push,) = await elsewhere.pushes.due(now=Timestamp(later + HELD_MS), limit=9)
    assert push.notification.id == draft.id
    assert await store.pushes.due(now=Timestamp(later + HELD_MS), limit=9) == []


async def test_a_push_that_is_postponed_is_everybodys(store: Store, elsewhere: Store) -> None:
    draft = notice(ANN)
    await store.notifications.add([draft], push=TERMS)
    await store.pushes.due(now=NOW, limit=9)
    soon = Timestamp(NOW + 5)
    await store.pushes.postpone(draft.id, due_at=soon)
    assert await elsewhere.pushes.due(now=NOW, limit=9) == []
    (push,) = await elsewhere.pushes.due(now=soon, limit=9)
    assert push.tries == 1
    assert await store.pushes.due(now=soon, limit=9) == []
    await elsewhere.pushes.settle([draft.id])
    assert await store.pushes.size() == 0


# Checkpoints


async def test_the_node_that_has_come_least_far_counts(store: Store, elsewhere: Store) -> None:
    """Until somebody has done what it left; and not if it has gone on itself meanwhile."""
    await store.publications.keep_checkpoint("chat", "b")
    await elsewhere.publications.keep_checkpoint("chat", "d")
    assert await elsewhere.publications.checkpoint("chat") == "b"
    await elsewhere.publications.keep_checkpoint("chat", "e")
    assert await store.publications.checkpoint("chat") == "e"
    await store.publications.keep_checkpoint("chat", "f")
    assert await elsewhere.publications.checkpoint("chat") == "f"
    await store.publications.keep_checkpoint("chat", "g")
    await elsewhere.publications.keep_checkpoint("chat", "h")
    assert await store.publications.checkpoint("chat") == "g"
