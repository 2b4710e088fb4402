"""The catch-up after CONNECT, and what its socket does meanwhile."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from parley.storage.models import RoomId, UserId
from parley.storage.sqlite.database import Database
from parley.storage.sqlite.members import SqliteMembers
from tests.namespaces.chat.house import House
from tests.namespaces.chat.nodes import say
from tests.until import until

ANN, BOB = UserId("ann"), UserId("bob")
TEA = {"name": "Tea", "type": "public"}


@pytest.fixture
def goes_on(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Hold whoever catches up, before her rooms are looked up, until this is set."""
    going_on, found = asyncio.Event(), SqliteMembers.of_user

    async def of_user(members: SqliteMembers, user_id: UserId) -> Any:
        await going_on.wait()
        return await found(members, user_id)

    monkeypatch.setattr(SqliteMembers, "of_user", of_user)
    return going_on


async def come(house: House, since: Mapping[str, str] | None = None) -> House:
    """Have Ann begin to catch up."""
    await house.ask(ANN, "discover", {})
    await house.chat.namespace.admitted(ANN, {"token": ANN, "since": since})
    return house


async def made(house: House, user: UserId, *members: UserId) -> str:
    """Return a room that somebody has made."""
    ack = await house.ask(user, "create_room", {**TEA, "members": list(members)})
    return str(ack["data"]["room"]["id"])


async def synced(house: House) -> list[str]:
    """Wait for the end of Ann's catch-up, and return the rooms that it brought."""
    frames: list[tuple[str, Any]] = []

    def is_done() -> bool:
        frames.extend(house.heard(ANN))
        return any(name == "sync" and data.get("done") for name, data in frames)

    await until(is_done)
    return [room_id for name, data in frames if name == "sync" for room_id in data["rooms"]]


@pytest.mark.parametrize("event", ["create_room", "join_room", "watch"])
async def test_a_room_entered_meanwhile_is_live_and_stays_so(
    database: Database, goes_on: asyncio.Event, event: str
) -> None:
    """Whoever knows nothing of cursors hears what she says in a room that she has just made."""
    house = await come(House(database))
    room_id = await made(house, BOB)
    request = TEA if event == "create_room" else {"room_id": room_id}
    entered = (await house.ask(ANN, event, request))["data"]["room"]["id"]
    goes_on.set()
    assert await synced(house) == []
    await say(house, ANN if event == "create_room" else BOB, entered)
    assert [name for name, _ in house.heard(ANN)] == ["chat"]


async def test_a_room_that_others_let_her_into_meanwhile_is_caught_up(
    database: Database, goes_on: asyncio.Event
) -> None:
    """No ack has told her what is there."""
    house = await come(House(database))
    room_id = await made(house, BOB, ANN)
    goes_on.set()
    assert await synced(house) == [room_id]


async def test_a_room_entered_without_an_ack_is_caught_up(
    database: Database, goes_on: asyncio.Event
) -> None:
    """What the ack would have had, nothing else has."""
    house = House(database)
    room_id = await made(house, BOB, ANN)
    await come(house)
    session = house.chat.namespace.sessions[ANN]
    house.chat.namespace.receive(session, ["join_room", {"room_id": room_id}], size=0, reply=None)
    await session.mailbox.idle()
    goes_on.set()
    assert await synced(house) == [room_id]


async def test_a_cursor_is_caught_up_from_whatever_is_entered_meanwhile(
    database: Database, goes_on: asyncio.Event
) -> None:
    """The ack of a request without it begins at the read mark, which may be beyond."""
    house = House(database)
    room_id = await made(house, BOB, ANN)
    feed = house.chat.feeds.running(RoomId(room_id))
    assert feed is not None
    await come(house, {room_id: f"{feed.room.epoch}.1"})
    assert (await house.ask(ANN, "join_room", {"room_id": room_id}))["ok"]
    goes_on.set()
    assert await synced(house) == [room_id]
