"""`Lane` over a real database whose answers sometimes get lost."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from weakref import WeakKeyDictionary

import pytest

from parley.namespaces.chat.drafts import Drafts
from parley.namespaces.chat.feed import RoomFeed
from parley.namespaces.chat.lane import Lane
from parley.namespaces.errors import Forbidden, Unavailable
from parley.storage.errors import OutcomeUnknown, StorageUnavailable
from parley.storage.models import (
    ClientId,
    Draft,
    MessageType,
    Outcome,
    Role,
    Room,
    RoomId,
    RoomType,
    Stored,
    Timestamp,
    UserId,
)
from parley.storage.sqlite.database import Database
from parley.storage.sqlite.messages import SqliteMessages
from parley.storage.sqlite.rooms import SqliteRooms
from tests.namespaces.chat.world import Wire

ANN = UserId("ann")
LONG_S = 0.05
DRAFTS = Drafts(now=lambda: Timestamp(0), digest_key=b"k" * 32)


Fault = Callable[[Sequence[Draft]], None]


def no_fault(drafts: Sequence[Draft]) -> None:
    """Let it pass."""


class Unreliable(SqliteMessages):
    """A log that does what `fault` says before or after it appends."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.before: Fault = no_fault
        self.after: Fault = no_fault

    async def append(
        self, room_id: RoomId, *, epoch: str, after: int, drafts: Sequence[Draft]
    ) -> Sequence[Outcome]:
        """See `MessageRepository`."""
        self.before(drafts)
        outcomes = await super().append(room_id, epoch=epoch, after=after, drafts=drafts)
        self.after(drafts)
        return outcomes


@pytest.fixture
async def log(tmp_path: Path) -> AsyncIterator[tuple[Unreliable, Lane, RoomFeed]]:
    async with Database.open(tmp_path) as database:
        room = Room(
            id=RoomId("0" * 24),
            name="r",
            type=RoomType.PUBLIC,
            owner=ANN,
            created_at=Timestamp(0),
            updated_at=Timestamp(0),
            epoch="0" * 8,
        )
        founding = [DRAFTS.joined(ANN, by=ANN, role=Role.OWNER, reason="created")]
        snapshot = await SqliteRooms(database).create(room, founding)
        messages = Unreliable(database)
        feed = RoomFeed(
            snapshot, messages=messages, transport=Wire(), sessions={}, watched=WeakKeyDictionary()
        )
        yield messages, Lane(feed, messages=messages, stored=lambda feed, rev, rows: None), feed


def said(text: str) -> Draft:
    """Return one message of ann's; its text is its client_id."""
    return DRAFTS.said(MessageType.CHAT, ANN, ClientId(text), content={"text": text}, metadata=None)


def anything(feed: RoomFeed) -> None:
    """Allow every row."""


def once(error: Exception) -> Fault:
    """Return a fault that happens the first time only."""
    faults = [error]

    def fault(drafts: object) -> None:
        if faults:
            raise faults.pop()

    return fault


Log = tuple[Unreliable, Lane, RoomFeed]


async def test_a_lost_answer_is_asked_for_again(log: Log) -> None:
    """Rows whose storing is unknown are written once, and nobody is told of a duplicate."""
    messages, lane, feed = log
    messages.after = once(OutcomeUnknown())
    outcomes = await asyncio.gather(*(lane.append(said(f"m{n}"), anything) for n in range(5)))
    assert [type(outcome) for outcome in outcomes] == [Stored] * 5
    assert [outcome.message.rev for outcome in outcomes] == [2, 3, 4, 5, 6]
    assert feed.head == 6


async def test_who_was_first_gives_way_where_others_write(log: Log) -> None:
    """For as long as the last batch took, in which another node hears of it and writes."""
    messages, lane, feed = log
    began = list[float]()
    messages.before = lambda _: began.append(time.monotonic())
    messages.after = lambda _: time.sleep(LONG_S)
    await lane.append(said("alone"), anything)
    here, epoch = feed.head, feed.room.epoch
    await SqliteMessages.append(
        messages, feed.room.id, epoch=epoch, after=here, drafts=[said("other")]
    )
    await lane.append(said("first"), anything)
    ended = time.monotonic()
    outcome = await lane.append(said("again"), anything)
    assert outcome.message.rev == here + 3
    assert [len(began), began[-1] - ended > LONG_S / 2] == [4, True]


async def test_storage_that_is_away_fails_fast_and_comes_back(log: Log) -> None:
    """Everyone waiting is told at once; nothing was stored, and the next write goes on."""
    messages, lane, feed = log
    messages.before = once(StorageUnavailable())
    waiting = [lane.append(said(f"m{n}"), anything) for n in range(3)]
    told = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(error) for error in told] == [Unavailable] * 3
    outcome = await lane.append(said("m0"), anything)
    assert isinstance(outcome, Stored)
    assert outcome.message.rev == feed.head == 2


async def test_who_waits_when_a_lane_is_broken_off_is_told_so(log: Log) -> None:
    """And the next write goes on."""
    messages, lane, _ = log
    messages.before = once(asyncio.CancelledError())  # type: ignore[arg-type]
    with pytest.raises(Unavailable):
        await lane.append(said("a"), anything)
    assert isinstance(await lane.append(said("b"), anything), Stored)


async def test_a_row_that_storage_chokes_on_fails_alone(log: Log) -> None:
    """Its neighbours in the batch are stored, in order."""
    messages, lane, _ = log

    def choke(drafts: Sequence[Draft]) -> None:
        if any(draft.client_id == "bad" for draft in drafts):
            raise ValueError("no")

    messages.before = choke
    names = ["m0", "m1", "bad", "m2"]
    results = await asyncio.gather(
        *(lane.append(said(name), anything) for name in names), return_exceptions=True
    )
    assert isinstance(results[2], ValueError)
    assert [r.message.rev for r in results if isinstance(r, Stored)] == [2, 3, 4]


async def test_rights_are_those_of_the_position(log: Log) -> None:
    """A message queued behind its author's leaving is refused; nothing of it is stored."""
    _, lane, feed = log

    def is_member(feed: RoomFeed) -> None:
        if ANN not in feed.members:
            raise Forbidden

    first = lane.append(said("m0"), is_member)
    gone = lane.append(DRAFTS.left(ANN, by=ANN, reason="left"), anything)
    late = lane.append(said("m1"), is_member)
    results = await asyncio.gather(first, gone, late, return_exceptions=True)
    assert isinstance(results[2], Forbidden)
    assert feed.head == 3
    assert (await SqliteMessages.changes(log[0], feed.room.id, after=3)).last == 3
