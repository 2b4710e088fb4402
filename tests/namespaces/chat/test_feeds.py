"""`RoomFeeds`: which rooms a node follows, and for how long."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from weakref import WeakKeyDictionary

import pytest

from parley.namespaces.chat import feeds as feeds_module
from parley.namespaces.chat.channels import Channels
from parley.namespaces.chat.drafts import Drafts
from parley.namespaces.chat.feeds import OpenRoom, RoomFeeds
from parley.namespaces.chat.seams import Seams
from parley.namespaces.chat.sync import Synchronizer
from parley.namespaces.identity import Identity
from parley.namespaces.seal import Seal
from parley.namespaces.session import Session
from parley.storage.memory.bus import MemoryBus
from parley.storage.models import Role, Room, RoomId, RoomType, Timestamp, UserId
from parley.storage.sqlite.database import Database
from parley.storage.sqlite.members import SqliteMembers
from parley.storage.sqlite.messages import SqliteMessages
from parley.storage.sqlite.rooms import SqliteRooms
from tests.namespaces.chat.world import Wire

ANN = UserId("ann")
ROOMS = [RoomId(f"{n:024x}") for n in range(3)]


DRAFTS = Drafts(now=lambda: Timestamp(0), digest_key=b"k" * 32)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with Database.open(tmp_path) as database:
        rooms = SqliteRooms(database)
        for room_id in ROOMS:
            room = Room(
                id=room_id,
                name="r",
                type=RoomType.PUBLIC,
                owner=ANN,
                created_at=Timestamp(0),
                updated_at=Timestamp(0),
                epoch="0" * 8,
            )
            joined = DRAFTS.joined(ANN, by=ANN, role=Role.OWNER, reason="created")
            await rooms.create(room, [joined])
        yield database


@pytest.fixture
def make_feeds(database: Database) -> Callable[[], RoomFeeds]:
    """Return the feeds of another node."""
    return lambda: _feeds(database, None)


def _feeds(database: Database, seal: Seal | None) -> RoomFeeds:
    wire = Wire()
    return RoomFeeds(
        rooms=SqliteRooms(database),
        messages=SqliteMessages(database),
        channels=Channels(bus=MemoryBus(), transport=wire, seal=seal, server_id="n1"),
        transport=wire,
        sessions={},
        watched=WeakKeyDictionary(),
        notify=Seams().notify,
    )


@pytest.fixture
def feeds(make_feeds: Callable[[], RoomFeeds]) -> RoomFeeds:
    return make_feeds()


async def test_a_feed_that_was_just_opened_is_kept(
    feeds: RoomFeeds, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many are open: its caller would go on with one that hears nothing."""
    monkeypatch.setattr(feeds_module, "IDLE_ROOMS", 0)
    opened = [await feeds.open(room_id) for room_id in ROOMS]
    await feeds.close_idle()
    assert [await feeds.open(room_id) for room_id in ROOMS] == opened


async def test_the_longest_unused_are_closed_first(
    feeds: RoomFeeds, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond the limit, what nobody needs is closed and read again when it is needed."""
    monkeypatch.setattr(feeds_module, "IDLE_ROOMS", 1)
    monkeypatch.setattr(feeds_module, "IDLE_S", -1.0)
    opened = [await feeds.open(room_id) for room_id in ROOMS]
    await feeds.open(ROOMS[0])
    await feeds.close_idle()
    running = [feeds.running(room_id) for room_id in ROOMS]
    assert running == [opened[0].feed, None, None]
    again = await feeds.open(ROOMS[1])
    assert again is not opened[1]
    assert again.feed.head == opened[1].feed.head


async def test_among_other_nodes_nothing_is_kept_that_nobody_needs(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a node follows it hears: of a room without members here that is too much."""
    monkeypatch.setattr(feeds_module, "IDLE_S", -1.0)
    feeds = _feeds(database, Seal(b"k" * 32))
    await feeds.open(ROOMS[0])
    await feeds.close_idle()
    assert feeds.running(ROOMS[0]) is None


async def test_one_that_is_opened_while_others_are_closed_goes_on(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Closing one waits for the end of its listener, and requests come meanwhile."""
    monkeypatch.setattr(feeds_module, "IDLE_S", -1.0)
    feeds = _feeds(database, Seal(b"k" * 32))
    first, _ = [await feeds.open(room_id) for room_id in ROOMS[:2]]
    cancel, opened = first.subscription.cancel, list[OpenRoom]()

    async def cancel_slowly() -> None:
        opened.append(await feeds.open(ROOMS[1]))
        await cancel()

    monkeypatch.setattr(first.subscription, "cancel", cancel_slowly)
    await feeds.close_idle()
    assert [feeds.running(ROOMS[0]), feeds.running(ROOMS[1])] == [None, opened[0].feed]


async def test_an_audit_learns_of_a_purge(
    database: Database, make_feeds: Callable[[], RoomFeeds]
) -> None:
    """Every node's replies carry the new floor, and a cursor below it is void."""
    messages, members, room_id = SqliteMessages(database), SqliteMembers(database), ROOMS[0]
    nodes = [make_feeds(), make_feeds()]
    for feeds in nodes:
        await feeds.open(room_id)
    rows = [DRAFTS.updated(ANN, {"changed": {"name": f"{n}"}}) for n in range(4)]
    await messages.append(room_id, epoch="0" * 8, after=1, drafts=rows)
    purged = await messages.purge(room_id, before=Timestamp(1), limit=3)
    assert purged.log_floor == 3
    for feeds in nodes:
        await feeds.audit()
        session = Session(sid="ann", identity=Identity(user_id=ANN, expires_at=2e9))
        sync = Synchronizer(feeds=feeds, messages=messages, members=members)
        for cursor, state in (("3", "ok"), ("2", "reset")):
            reply = (await sync.read(session, {room_id: f"{'0' * 8}.{cursor}"})).rooms[room_id]
            assert (reply["state"], reply["floor_seq"]) == (state, 4)


async def test_an_audit_that_read_earlier_does_not_lower_a_floor(
    database: Database, feeds: RoomFeeds, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A room that was opened after heads were read knows better."""
    messages, room_id = SqliteMessages(database), ROOMS[0]
    heads = await SqliteRooms(database).heads(ROOMS)
    rows = [DRAFTS.updated(ANN, {"changed": {"name": f"{n}"}}) for n in range(4)]
    await messages.append(room_id, epoch="0" * 8, after=1, drafts=rows)
    await messages.purge(room_id, before=Timestamp(1), limit=3)
    feed = (await feeds.open(room_id)).feed

    async def earlier(*_: object) -> object:
        return {room_id: replace(heads[room_id], rev=feed.head)}

    monkeypatch.setattr(SqliteRooms, "heads", earlier)
    await feeds.audit()
    assert feed.room.log_floor == 3
