"""The catch-up after CONNECT, and what its socket does meanwhile."""

import asyncio
from typing import Any

import pytest

from parley.storage.models import UserId
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


async def come(database: Database) -> House:
    """Return a house in which Ann catches up."""
    house = House(database)
    await house.ask(ANN, "discover", {})
    await house.chat.namespace.admitted(ANN, {"token": ANN})
    return house


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
    house = await come(database)
    room_id = (await house.ask(BOB, "create_room", TEA))["data"]["room"]["id"]
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
    house = await come(database)
    made = await house.ask(BOB, "create_room", {**TEA, "members": [ANN]})
    goes_on.set()
    assert await synced(house) == [made["data"]["room"]["id"]]
