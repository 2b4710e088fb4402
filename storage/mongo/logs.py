"""Where logs end, as the database says, and whether a log can take rows there."""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from parley.storage.errors import (
    EpochChanged,
    NotStored,
    OutcomeUnknown,
    PositionTaken,
    StorageError,
    StorageUnavailable,
)
from parley.storage.models import Head, RoomId
from parley.storage.mongo.database import MongoDatabase, Session
from parley.storage.mongo.documents import head_of
from parley.storage.mongo.heads import is_older

TRIES = 3  # of a read that is older than what this process knows
PAUSE_S = 0.1
SETTLE_S = (0.0, 0.005, 0.01, 0.02, 0.04, 0.08)  # a majority follows within a few milliseconds

_OF_HEAD = {"epoch": 1, "log_floor": 1, "deleted": 1}


@dataclass(frozen=True, slots=True)
class LogEnd:
    """Where a log ends, and whether its room is deleted."""

    head: Head
    deleted: bool

    def refusal(self, room_id: RoomId, epoch: str, after: int) -> StorageError | None:
        """Return why the log cannot take a row behind (``epoch``, ``after``), if so."""
        if self.head.epoch != epoch:
            return EpochChanged(f"{room_id}: the epoch is {self.head.epoch}, not {epoch}")
        if self.deleted:
            return NotStored(f"the room {room_id} is deleted")
        if self.head.rev != after:
            return PositionTaken(room_id, after, self.head.rev)
        return None


async def newest(
    database: MongoDatabase, room_id: RoomId, session: Session | None = None
) -> int | None:
    """Return the newest position in a log, whatever the room says; None where there is no row."""
    row = await database.messages.find_one(
        {"room_id": room_id}, {"_id": 0, "rev": 1}, sort=[("rev", -1)], session=session
    )
    return None if row is None else row["rev"]


async def log_end(
    database: MongoDatabase, room_id: RoomId, session: Session | None = None
) -> LogEnd | None:
    """Return where a log ends as of one moment, None if there is no such room."""
    # In this order: what is not deleted after the log was read was not before it either.
    rev = await newest(database, room_id, session)
    room = await database.rooms.find_one({"_id": room_id}, _OF_HEAD, session=session)
    return None if room is None else LogEnd(head_of(room, rev), room["deleted"])


async def current_end(database: MongoDatabase, room_id: RoomId) -> LogEnd | None:
    """Return what `log_end` does, and never less than this process knows to be durable.

    Raises:
        StorageUnavailable: Whoever answers, perhaps a primary that was voted out, has less.
    """
    for _ in range(TRIES):
        known = database.heads.of(room_id)  # before: another node may tell of more meanwhile
        end = await log_end(database, room_id)
        if end is None or not is_older(end.head, known):
            if end is not None and not end.deleted:
                database.heads.learn(room_id, end.head)
            return end
        await asyncio.sleep(PAUSE_S)
    raise StorageUnavailable(f"the log of {room_id} is shorter than it was")


async def refusal(
    database: MongoDatabase, room_id: RoomId, epoch: str, after: int
) -> StorageError | None:
    """Return why the log cannot take a row behind (``epoch``, ``after``), as a majority has it."""
    end = await current_end(database, room_id)
    if end is None:
        return NotStored(f"there is no room {room_id}")
    return end.refusal(room_id, epoch, after)


async def settled_refusal(
    database: MongoDatabase, room_id: RoomId, epoch: str, after: int
) -> StorageError:
    """Return what it means that something was seen in the way of a row there.

    A transaction and a unique index see what no majority has yet, and an election may take that
    back: so it is never an answer by itself.
    """
    for pause in SETTLE_S:
        await asyncio.sleep(pause)
        found = await refusal(database, room_id, epoch, after)
        if found is not None:
            return found
    # The primary cannot make its rows durable just now. It is asked again, and not at once.
    return OutcomeUnknown(f"{room_id}: position {after + 1} is unsettled")


async def ends_of(
    database: MongoDatabase, room_ids: Collection[RoomId], session: Session | None = None
) -> Mapping[RoomId, Head]:
    """Return where logs end; a room that does not exist is left out."""
    wanted = list(room_ids)
    revs: dict[RoomId, int] = {}
    # The first of each group in the order of the index: one step a room, however long its log.
    stages: list[dict[str, Any]] = [
        {"$match": {"room_id": {"$in": wanted}}},
        {"$sort": {"room_id": -1, "rev": -1}},
        {"$group": {"_id": "$room_id", "rev": {"$first": "$rev"}}},
    ]
    async for group in await database.messages.aggregate(stages, session=session):
        revs[group["_id"]] = group["rev"]
    rooms = database.rooms.find({"_id": {"$in": wanted}}, _OF_HEAD, session=session)
    return {room["_id"]: head_of(room, revs.get(room["_id"])) async for room in rooms}


async def surest_ends(
    database: MongoDatabase, room_ids: Collection[RoomId]
) -> Mapping[RoomId, Head]:
    """Return what `ends_of` does, after a second look where a log is shorter than it was.

    What it is then is believed: the rows are lost, and whoever asks decides what that means.
    """
    known = {room_id: database.heads.of(room_id) for room_id in room_ids}
    found = dict(await ends_of(database, room_ids))
    stale = [room_id for room_id, head in found.items() if is_older(head, known[room_id])]
    if stale:
        await asyncio.sleep(PAUSE_S)  # a primary that was voted out learns it soon
        found |= await ends_of(database, stale)
    for room_id in stale:
        if is_older(found[room_id], known[room_id]):
            database.heads.forget(room_id)
    return found
