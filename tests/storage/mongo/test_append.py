"""Positions by optimistic insert: who is first, what is unknown, and what is never taken back."""

import asyncio
import traceback
from typing import Any

import pytest

from parley.storage.errors import OutcomeUnknown, PositionTaken, StorageError
from parley.storage.models import Draft, Duplicate, Outcome, RoomId, Stored, Timestamp
from parley.storage.mongo.database import MongoDatabase
from parley.storage.mongo.documents import row_of_create
from tests.storage.drafts import (
    ANN,
    BOB,
    EPOCH,
    append,
    edited,
    head_of,
    joined,
    new_room,
    reacted,
    said,
    texts,
)
from tests.storage.mongo.failing import NO_MAJORITY, Failing
from tests.storage.stores import Store

pytestmark = pytest.mark.mongo


async def append_at(store: Store, room_id: RoomId, after: int, *drafts: Draft) -> list[Outcome]:
    """Append where the caller believes the log to end."""
    return list(await store.messages.append(room_id, epoch=EPOCH, after=after, drafts=drafts))


async def log_of(store: Store, room_id: RoomId) -> list[str]:
    """Return what was said, after looking that no position is missing or there twice."""
    page = await store.messages.changes(room_id, after=0)
    assert page.dense
    assert page.last == (await head_of(store, room_id)).rev
    return texts(await store.messages.history(room_id, limit=1_000, after=1))


async def until_known(store: Store, room_id: RoomId, *drafts: Draft) -> list[Outcome]:
    """Append as a lane does: after a conflict at the new head, after an error the same again."""
    while True:
        after = (await head_of(store, room_id)).rev
        try:
            return await append_at(store, room_id, after, *drafts)
        except (PositionTaken, OutcomeUnknown):
            continue


# Conflicts


@pytest.mark.parametrize("row", [said(ANN, "late"), joined(BOB)], ids=["message", "control"])
async def test_who_is_second_takes_nothing(store: Store, elsewhere: Store, row: Draft) -> None:
    """A node that still believes in the old head is told the new one, and nothing is stored."""
    room_id = await new_room(store, ANN)
    await append(store, room_id, said(ANN, "one"))
    await append(elsewhere, room_id, said(ANN, "two"))
    with pytest.raises(PositionTaken) as taken:
        await append_at(store, room_id, 2, row)
    assert taken.value.head == 3
    assert await log_of(store, room_id) == ["one", "two"]
    (stored,) = await append_at(store, room_id, 3, said(ANN, "three"))
    assert stored.message.rev == 4


async def test_a_conflict_in_mid_batch_leaves_the_outcome_open(
    database: MongoDatabase, store: Store
) -> None:
    """Rows before it are stored, so "nothing was" is not said; the same again finds them."""
    room_id = await new_room(store, ANN, BOB)
    stranger = said(BOB, "between")
    drafts = [said(ANN, text) for text in "abc"]
    # Nobody could know that 4 is durable and write 5: so it is put there by hand.
    await database.messages.insert_many([row_of_create(room_id, stranger, 5)])
    await append(store, room_id)  # knows the head to be 5
    database.heads.forget(room_id)
    await database.messages.delete_one({"_id": stranger.id})
    await append_at(store, room_id, 2)  # knows the head to be 2
    await database.messages.insert_many([row_of_create(room_id, stranger, 5)])
    with pytest.raises(OutcomeUnknown):
        await append_at(store, room_id, 2, *drafts)
    with pytest.raises(PositionTaken):
        await append_at(store, room_id, 2, *drafts)
    outcomes = await append_at(store, room_id, 5, *drafts)
    assert [type(outcome) for outcome in outcomes] == [Duplicate, Duplicate, Stored]
    assert [outcome.message.rev for outcome in outcomes] == [3, 4, 6]
    assert await log_of(store, room_id) == ["", "a", "b", "between", "c"]


async def test_two_nodes_in_one_room_leave_no_hole(store: Store, elsewhere: Store) -> None:
    """Every message of both is there once, each sender's in her order."""
    room_id = await new_room(store, ANN, BOB)

    async def write(node: Store, user: Any) -> None:
        for i in range(0, 60, 3):
            drafts = [said(user, f"{user} {n}") for n in range(i, i + 3)]
            outcomes = await until_known(node, room_id, *drafts)
            assert [o.message.content["text"] for o in outcomes] == texts_of(drafts)

    await asyncio.gather(write(store, ANN), write(elsewhere, BOB))
    log = await log_of(store, room_id)
    for user in (ANN, BOB):
        assert [t for t in log if t.startswith(user)] == [f"{user} {n}" for n in range(60)]


def texts_of(drafts: list[Draft]) -> list[str]:
    """Return what the drafts say."""
    return [draft.content["text"] for draft in drafts]


# Duplicates


async def test_a_retry_at_another_node_gets_the_first_position(
    store: Store, elsewhere: Store
) -> None:
    """In the middle of a batch too, and the row behind it takes the free position."""
    room_id = await new_room(store, ANN)
    first, retried, last = said(ANN, "a"), said(ANN, "b"), said(ANN, "c")
    await append(elsewhere, room_id, retried)
    other_ids = said(ANN, "b", client_id=retried.client_id)
    outcomes = await append_at(store, room_id, 2, first, other_ids, last)
    assert [type(outcome) for outcome in outcomes] == [Stored, Duplicate, Stored]
    assert isinstance(outcomes[1], Duplicate)
    assert (outcomes[1].rev, outcomes[1].message.id) == (2, retried.id)
    assert await log_of(store, room_id) == ["b", "a", "c"]


async def test_one_request_from_two_nodes_at_once_is_one_row(
    store: Store, elsewhere: Store
) -> None:
    """One of them stores it, the other is answered with that row: 50 times."""
    room_id = await new_room(store, ANN)
    for i in range(50):
        one = said(ANN, str(i))
        other = said(ANN, str(i), client_id=one.client_id)
        (here,), (there,) = await asyncio.gather(
            until_known(store, room_id, one), until_known(elsewhere, room_id, other)
        )
        assert {type(here), type(there)} == {Stored, Duplicate}
        assert here.message == there.message
    assert await log_of(store, room_id) == [str(i) for i in range(50)]


# Unknown outcomes


@pytest.mark.mongod
@pytest.mark.parametrize("change", [False, True], ids=["message", "change"])
async def test_without_a_majority_nothing_is_acknowledged(
    store: Store, failing: Failing, *, change: bool
) -> None:
    """A write concern error leaves the outcome open; the same rows again get one position."""
    room_id = await new_room(store, ANN)
    (target,) = await append(store, room_id, said(ANN, "target"))
    draft = reacted(ANN, target.id, "+") if change else said(ANN, "new")
    command = "commitTransaction" if change else "insert"
    failing.commands(command, times=None, writeConcernError=NO_MAJORITY)
    with pytest.raises(OutcomeUnknown):
        await append_at(store, room_id, 2, draft)
    failing.stop()
    (outcome,) = await until_known(store, room_id, draft)
    assert outcome.message.rev == 3
    assert (await head_of(store, room_id)).rev == 3


@pytest.mark.mongod
async def test_a_write_concern_that_cannot_be_met_leaves_the_outcome_open(
    store: Store, failing: Failing
) -> None:
    """Of a transaction and of many updates too, where the driver has no label for it."""
    room_id = await new_room(store, ANN)
    unmet = {"code": 100, "errmsg": "not enough members"}
    failing.commands("commitTransaction", writeConcernError=unmet)
    with pytest.raises(OutcomeUnknown):
        await append_at(store, room_id, 1, joined(BOB))
    failing.commands("update", writeConcernError=unmet)
    with pytest.raises(OutcomeUnknown):
        await store.users.saw({ANN: Timestamp(1)})


@pytest.mark.mongod
async def test_a_duplicate_without_a_majority_is_not_answered(
    store: Store, failing: Failing
) -> None:
    """The row in the way may be taken back, so it is not shown to anybody as stored."""
    room_id = await new_room(store, ANN)
    first = said(ANN, "first")
    await append(store, room_id, first)
    failing.commands("insert", writeConcernError=NO_MAJORITY)
    with pytest.raises(OutcomeUnknown):
        await append_at(store, room_id, 2, first, said(ANN, "second"))
    (again,) = await append_at(store, room_id, 2, first)
    assert isinstance(again, Duplicate)


@pytest.mark.mongod
async def test_a_conflict_without_a_majority_is_no_head(
    database: MongoDatabase, store: Store, elsewhere: Store, failing: Failing
) -> None:
    """Nothing is written on the row in the way before a read has shown it."""
    room_id = await new_room(store, ANN)
    await append(store, room_id, said(ANN))
    await append(elsewhere, room_id, said(ANN))
    failing.commands("insert", writeConcernError=NO_MAJORITY)
    with pytest.raises(OutcomeUnknown):
        await append_at(store, room_id, 2, said(ANN))
    assert database.heads.fresh(room_id) is None


@pytest.mark.mongod
@pytest.mark.parametrize(
    "how", [{"closeConnection": True}, {"errorCode": 6}, {"errorCode": 50}], ids=str
)
async def test_after_an_error_the_head_is_not_known(
    database: MongoDatabase, store: Store, failing: Failing, how: dict[str, Any]
) -> None:
    """What the driver could not clear up in its own retries is unknown, and read again."""
    room_id = await new_room(store, ANN)
    await append(store, room_id, said(ANN, "before"))
    failing.commands("insert", times=None, **how)
    draft = said(ANN, "it")
    with pytest.raises(OutcomeUnknown):
        await append_at(store, room_id, 2, draft)
    assert database.heads.fresh(room_id) is None
    failing.stop()
    await until_known(store, room_id, draft)
    assert await log_of(store, room_id) == ["before", "it"]


@pytest.mark.mongod
async def test_one_lost_connection_costs_nothing(store: Store, failing: Failing) -> None:
    """The driver tries again by itself, and the row is there once."""
    room_id = await new_room(store, ANN)
    for command, draft in (("insert", said(ANN, "a")), ("commitTransaction", joined(BOB))):
        failing.commands(command, closeConnection=True)
        await append(store, room_id, draft)
    assert (await head_of(store, room_id)).rev == 3


@pytest.mark.mongod
@pytest.mark.parametrize("change", [False, True], ids=["message", "change"])
async def test_a_cancelled_write_is_finished(
    database: MongoDatabase, store: Store, failing: Failing, *, change: bool
) -> None:
    """Whoever waited has gone; the row gets its place, and its retry is answered with it."""
    room_id = await new_room(store, ANN)
    (target,) = await append(store, room_id, said(ANN, "target"))
    draft = edited(ANN, target.id, "x") if change else said(ANN, "x")
    failing.commands("insert", blockConnection=True, blockTimeMS=300)
    writing = asyncio.create_task(append_at(store, room_id, 2, draft))
    await failing.reached()
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    await database.finished()
    (again,) = await append_at(store, room_id, 3, draft)
    assert isinstance(again, Duplicate)
    assert again.rev == 3


async def test_writes_cancelled_at_any_moment_are_stored_once(
    store: Store, database: MongoDatabase
) -> None:
    """However far one has come when it is cancelled; nothing is there twice or missing."""
    room_id = await new_room(store, ANN)
    drafts = [said(ANN, str(i)) for i in range(40)]
    for steps, draft in enumerate(drafts):
        after = (await head_of(store, room_id)).rev
        writing = asyncio.create_task(append_at(store, room_id, after, draft))
        for _ in range(steps):
            await asyncio.sleep(0)
        writing.cancel()
        await asyncio.wait([writing])
        await database.finished()
    outcomes = await until_known(store, room_id, *drafts)
    assert sorted(o.message.rev for o in outcomes) == list(range(2, 42))
    assert sorted(await log_of(store, room_id), key=int) == [str(i) for i in range(40)]


# Errors of one row


async def test_a_row_that_is_refused_fails_alone(database: MongoDatabase, store: Store) -> None:
    """In a batch the outcome is open; by itself it fails, and the others are stored."""
    room_id = await new_room(store, ANN)
    rule = {"client_id": {"$ne": "refuse-me"}}
    await database.messages.database.command("collMod", "messages", validator=rule)
    try:
        good, bad = said(ANN, "good"), said(ANN, "canary", client_id="refuse-me")
        with pytest.raises(OutcomeUnknown):
            await append_at(store, room_id, 1, good, bad)
        (again,) = await append_at(store, room_id, 2, good)
        assert isinstance(again, Duplicate)
        with pytest.raises(StorageError) as refused:
            await append_at(store, room_id, 2, bad)
        assert not isinstance(refused.value, OutcomeUnknown)
        with pytest.raises(StorageError) as refused_change:
            await append_at(store, room_id, 2, bad, joined(BOB))
        for error in (refused.value, refused_change.value):
            assert "canary" not in "".join(traceback.format_exception(error))
        await append_at(store, room_id, 2, said(ANN, "better"))
    finally:
        await database.messages.database.command("collMod", "messages", validator={})
    assert await log_of(store, room_id) == ["good", "better"]


async def test_a_row_that_is_too_large_stores_nothing(store: Store) -> None:
    """Nor do those that came with it; the error does not repeat what it says."""
    room_id = await new_room(store, ANN)
    huge = said(ANN, "secret" * 3_000_000)
    with pytest.raises(StorageError) as refused:
        await append_at(store, room_id, 1, said(ANN), huge)
    assert "secret" not in str(refused.value)
    assert (await head_of(store, room_id)).rev == 1
