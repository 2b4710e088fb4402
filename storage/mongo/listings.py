"""Lists of rooms in MongoDB: those that everybody may find, and all of them."""

from collections.abc import Sequence
from typing import Any

from parley.storage.models import Room, RoomId, RoomListing
from parley.storage.mongo.database import MongoDatabase
from parley.storage.mongo.documents import Document, room_from
from parley.storage.naming import name_key

_IN_ORDER = [("name_key", 1), ("_id", 1)]


async def listed(
    database: MongoDatabase, containing: str, after: tuple[str, RoomId] | None, limit: int
) -> Sequence[RoomListing]:
    """See `RoomRepository.listed`."""
    asked: Document = {"listed": True}
    if after is not None:
        name, room_id = after
        asked["$or"] = [{"name_key": {"$gt": name}}, {"name_key": name, "_id": {"$gt": room_id}}]
    if containing:
        asked["$expr"] = _contains(name_key(containing))
    found = database.rooms.find(asked).sort(_IN_ORDER).limit(limit)
    return [_listing(document) async for document in found]


def _contains(text: str) -> dict[str, Any]:
    # Not a pattern, in which characters of the text would mean something. $literal: a text that
    # begins with a dollar is a text, too.
    return {"$gte": [{"$indexOfCP": ["$name_key", {"$literal": text}]}, 0]}


async def page(database: MongoDatabase, after: RoomId | None, limit: int) -> Sequence[Room]:
    """See `RoomRepository.page`."""
    asked = {"_id": {"$gt": after or ""}, "deleted": False}
    found = database.rooms.find(asked).sort("_id", 1).limit(limit)
    return [room_from(document) async for document in found]


def _listing(document: Document) -> RoomListing:
    room = room_from(document)
    return RoomListing(
        room=room, member_count=document["member_count"], key=(document["name_key"], room.id)
    )
