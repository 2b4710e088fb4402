"""Every call reads what a majority has, and acknowledges what a majority has on its disks."""

from collections.abc import AsyncGenerator, Iterator, Mapping
from typing import Any

import pytest

from parley.storage.mongo.database import MongoDatabase
from tests.storage.drafts import ANN, append, new_room, said
from tests.storage.mongo.calls import EVERY, Call
from tests.storage.mongo.recorder import Recorder
from tests.storage.stores import Store, mongo_store

pytestmark = pytest.mark.mongo

READS = {"find", "aggregate", "count", "distinct"}
WRITES = {"insert", "update", "delete", "findAndModify"}
ENDS = {"commitTransaction"}
# What goes on with a read that has begun, and what undoes everything, promise nothing.
OTHERS = {"getMore", "abortTransaction", "killCursors", "endSessions"}

Command = Mapping[str, Any]


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
async def heard(
    url: str, database: MongoDatabase, recorder: Recorder
) -> AsyncGenerator[Store, None]:
    """Return a store whose commands are kept."""
    async with MongoDatabase.open(url, database.name, listeners=[recorder]) as other:
        yield mongo_store(other)


def name_of(command: Command) -> str:
    return next(iter(command))


def reads(commands: list[Command]) -> Iterator[Command]:
    """Yield the commands that begin to read: in a transaction or a view, each is of its moment."""
    for command in commands:
        begins = command.get("startTransaction", False)
        if begins or (name_of(command) in READS and "autocommit" not in command):
            yield command


def writes(commands: list[Command]) -> Iterator[Command]:
    """Yield the commands whose answer says that something is durable."""
    for command in commands:
        name = name_of(command)
        if name in ENDS or (name in WRITES and "autocommit" not in command):
            yield command


@pytest.mark.parametrize(("name", "call"), EVERY, ids=[name for name, _ in EVERY])
async def test_every_call_asks_for_a_majority(
    heard: Store, recorder: Recorder, name: str, call: Call
) -> None:
    """And for nothing older than what this process wrote before."""
    room_id = await new_room(heard, ANN)
    other = await new_room(heard, ANN)
    await append(heard, other, said(ANN))
    recorder.commands.clear()
    await call(heard, room_id)
    assert recorder.commands
    assert {name_of(command) for command in recorder.commands} <= READS | WRITES | ENDS | OTHERS
    for i, command in enumerate(reads(recorder.commands)):
        concern = command["readConcern"]
        assert concern["level"] in ("majority", "snapshot")
        # A view begins with a majority read that has it, and is of a later moment on that server.
        within_view = i > 0 and concern["level"] == "snapshot"
        assert within_view or "afterClusterTime" in concern
    for command in writes(recorder.commands):
        assert command["writeConcern"] == {"w": "majority", "j": True}
