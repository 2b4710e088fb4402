"""Removing the old part of a log, a short step at a time, in a transaction.

The log is gone through once, in its order, from ``log_floor`` on. What is at or below the floor
afterwards is only messages that were changed above it, each without its old rows.
"""

from collections.abc import Sequence

from parley.storage.models import Purged, RoomId, Timestamp
from parley.storage.mongo.database import Document, MongoDatabase, Session
from parley.storage.mongo.documents import CREATE, head_of
from parley.storage.mongo.logs import newest

_OF_ROW = {"rev": 1, "created_at": 1, "kind": 1, "state_rev": 1, "message_id": 1}


async def step(
    database: MongoDatabase, session: Session, room_id: RoomId, before: Timestamp, limit: int
) -> Purged:
    """See `MessageRepository.purge`."""
    room = await database.rooms.find_one({"_id": room_id}, session=session)
    if room is None or room["deleted"]:
        return Purged(removed=0, log_floor=0, more=False)
    head = head_of(room, await newest(database, room_id, session)).rev
    # One more than may go: is there more?
    old = await _old(database, session, room, head, before, limit + 1)
    going = old[:limit]
    floor: int = going[-1]["rev"] if going else room["log_floor"]
    removed = 0
    if going:
        raised = {"$set": {"log_floor": floor}}
        await database.rooms.update_one({"_id": room_id}, raised, session=session)
        removed = await _remove(database, session, going)
    return Purged(removed=removed, log_floor=floor, more=len(old) > limit)


async def _old(
    database: MongoDatabase,
    session: Session,
    room: Document,
    head: int,
    before: Timestamp,
    limit: int,
) -> Sequence[Document]:
    """Return the next rows that are old enough, as far as they come one after the other."""
    above = {"room_id": room["_id"], "rev": {"$gt": room["log_floor"], "$lt": head}}
    found = database.messages.find(above, _OF_ROW, session=session).sort("rev", 1).limit(limit)
    old: list[Document] = []
    async for row in found:
        if row["created_at"] >= before:
            break
        old.append(row)
    return old


async def _remove(database: MongoDatabase, session: Session, going: Sequence[Document]) -> int:
    """Remove rows, and messages of which one of them is the newest; return how many messages."""
    changes = [row for row in going if row["kind"] != CREATE]
    changed = {"_id": {"$in": [row["message_id"] for row in changes]}}
    found = database.messages.find(changed, {"state_rev": 1}, session=session)
    newest_rows = {message["_id"]: message["state_rev"] async for message in found}
    messages = [row["_id"] for row in going if row.get("state_rev") == row["rev"]]
    messages += [
        row["message_id"] for row in changes if newest_rows.get(row["message_id"]) == row["rev"]
    ]
    # A create row is its message, so it stays as long as that; any other row has had its effect.
    ids = messages + [row["_id"] for row in changes]
    await database.messages.delete_many({"_id": {"$in": ids}}, session=session)
    return len(messages)
