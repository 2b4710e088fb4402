"""`RoomFeeds`: which rooms a node follows, and for how long."""

from collections.abc import AsyncIterator
from pathlib import Path
from weakref import WeakKeyDictionary

import pytest

from parley.namespaces.chat import feeds as feeds_module
from parley.namespaces.chat.drafts import Drafts
from parley.namespaces.chat.feeds import RoomFeeds
from parley.storage.memory.bus import MemoryBus
from parley.storage.models import Role, Room, RoomId, RoomType, Timestamp, UserId
from parley.storage.sqlite.database import Database
from parley.storage.sqlite.messages import SqliteMessages
from parley.storage.sqlite.rooms import SqliteRooms
from tests.namespaces.chat.world import Wire

ANN = UserId("ann")
ROOMS = [RoomId(f"{n:024x}") for n in range(3)]


@pytest.fixture
async def feeds(tmp_path: Path) -> AsyncIterator[RoomFeeds]:
    drafts = Drafts(now=lambda: Timestamp(0), digest_key=b"k" * 32)
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
            joined = drafts.joined(ANN, by=ANN, role=Role.OWNER, reason="created")
            await rooms.create(room, [joined])
        yield RoomFeeds(
            rooms=rooms,
            messages=SqliteMessages(database),
            bus=MemoryBus(),
            transport=Wire(),
            sessions={},
            watched=WeakKeyDictionary(),
        )


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
