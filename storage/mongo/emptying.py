"""Emptying a room for good: at once for who looks at it, its rows a short step at a time.

The log of a deleted room ends with a row of its own. It takes the position after the head, so
that of a deletion and a message from another node one comes first; and it stays, so that nobody
who still believes in the old head writes on it.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from parley.storage.models import MessageId, Room, Timestamp
from parley.storage.mongo import inbox
from parley.storage.mongo.control import raise_revisions
from parley.storage.mongo.database import Document, MongoDatabase, Session
from parley.storage.mongo.documents import CREATE, GONE, document_of_room
from parley.storage.mongo.errors import translated_write
from parley.storage.notifications import told_of


async def empty(
    database: MongoDatabase,
    session: Session,
    room: Room,
    head: int,
    new_epoch: str,
    at: Timestamp,
) -> None:
    """See `RoomRepository.delete`; in a transaction."""
    last = {"_id": f"{room.id}.{room.epoch}", "room_id": room.id, "rev": head + 1, "kind": GONE}
    await database.messages.insert_many([last], session=session)
    emptied = document_of_room(_emptied(room, new_epoch, at))
    change = {"$set": emptied | {"member_count": 0, "to_sweep": True}}
    await database.rooms.update_one({"_id": room.id}, change, session=session)
    asked = {"room_id": room.id}
    members = database.members.find(asked, {"user_id": 1}, session=session)
    users = Counter([member["user_id"] async for member in members])
    if users:
        await database.members.delete_many(asked, session=session)
        await raise_revisions(database, users, session)


async def sweep(database: MongoDatabase, limit: int) -> int:
    """See `RoomRepository.sweep`.

    Each step is a read or a write by itself, not one of all: what has a turn may not wait for
    another, and inboxes need some.
    """
    left = limit
    while left > 0:
        asked = database.rooms.find_one({"to_sweep": True}, {"updated_at": 1})
        room = await database.read(asked)
        if room is None:
            break
        swept = await _sweep_room(database, room, left)
        left -= swept
        if not swept:
            await database.write(_note_swept(database, room))
    return limit - left


async def _note_swept(database: MongoDatabase, room: Document) -> None:
    with translated_write():
        await database.rooms.update_one({"_id": room["_id"]}, {"$unset": {"to_sweep": ""}})


async def _sweep_room(database: MongoDatabase, room: Document, limit: int) -> int:
    """Remove the oldest rows of a room, as far as ``limit`` goes, and return how many.

    First what inboxes say of them, each inbox in a transaction of its own: while a row is there,
    that is found, also by who goes on after a crash.
    """
    asked = {"room_id": room["_id"], "kind": {"$ne": GONE}}
    found = database.messages.find(asked, {"mentions": 1, "kind": 1}).sort("rev", 1)
    rows = await database.read(found.limit(limit).to_list())
    about = [told_of(MessageId(row["_id"])) for row in rows if row["kind"] == CREATE]
    if about and (ended := await inbox.retract_all(database, about, room["updated_at"], limit)):
        return ended
    return await database.write(_remove(database, rows, limit))


async def _remove(database: MongoDatabase, rows: Sequence[Document], limit: int) -> int:
    going: list[Any] = []
    count = 0
    for row in rows:
        weight = 1 + len(row.get("mentions", ()))
        if count + weight > limit:
            if not going:
                return await _forget_mentions(database, row, limit)
            break
        going.append(row["_id"])
        count += weight
    if going:
        with translated_write():
            await database.messages.delete_many({"_id": {"$in": going}})
    return count


async def _forget_mentions(database: MongoDatabase, row: Mapping[str, Any], limit: int) -> int:
    """Of a row that mentions more people than may go in one step, remove some."""
    fewer: Document = {"$set": {"mentions": row["mentions"][limit:]}}
    with translated_write():
        await database.messages.update_one({"_id": row["_id"]}, fewer)
    return limit


def _emptied(room: Room, epoch: str, at: Timestamp) -> Room:
    """Return what is kept of ``room``: that there was one, and whose it was."""
    return replace(
        room,
        name="",
        description=None,
        settings={},
        rev=0,
        epoch=epoch,
        log_floor=0,
        deleted=True,
        updated_at=at,
    )
