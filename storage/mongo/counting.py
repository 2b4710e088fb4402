"""What is unread, as conditions on rows of the log."""

from typing import Any

from parley.storage.models import UNREAD_CAP, RoomId, Unread, UserId
from parley.storage.mongo.database import Document, MongoDatabase

AFTER = {  # of a membership: `Membership.unread_after`
    "$max": ["$read_seq", {"$subtract": ["$visible_from_seq", 1]}]
}


def said_to(user_id: UserId) -> Document:
    """Return the condition of what others said and did not delete."""
    return {"spoken": True, "from": {"$ne": user_id}}


def mentioning(user_id: UserId) -> Document:
    """Return the condition of what mentions her."""
    return {"mentions": user_id}


async def unread(
    database: MongoDatabase, room_id: RoomId, user_id: UserId, after: int, upto: int | None
) -> Unread:
    """See `MessageRepository.unread`."""
    stretch = {"$gt": after} | ({} if upto is None else {"$lte": upto})
    messages = database.messages

    async def count(condition: Document) -> int:
        asked = {"room_id": room_id, "rev": stretch, **condition}
        return await messages.count_documents(asked, limit=UNREAD_CAP)

    return Unread(count=await count(said_to(user_id)), mentions=await count(mentioning(user_id)))


def counted(name: str, condition: Document) -> list[dict[str, Any]]:
    """Return stages that count, behind ``after`` of a membership, rows of its room as ``name``."""
    found = {"$match": {**condition, "$expr": {"$gt": ["$rev", "$$after"]}}}
    rows = {
        "from": "messages",
        "localField": "room_id",
        "foreignField": "room_id",
        "let": {"after": "$after"},
        "pipeline": [found, {"$limit": UNREAD_CAP}, {"$count": "n"}],
        "as": name,
    }
    return [{"$lookup": rows}, {"$set": {name: {"$ifNull": [{"$first": f"${name}.n"}, 0]}}}]


def counted_unread(user_id: UserId) -> list[dict[str, Any]]:
    """Return stages that put ``count`` and ``mentions`` into memberships of the user."""
    return [
        {"$set": {"after": AFTER}},
        *counted("count", said_to(user_id)),
        *counted("mentions", mentioning(user_id)),
    ]


def unread_from(document: Document) -> Unread:
    """Return what `counted_unread` found."""
    return Unread(count=document["count"], mentions=document["mentions"])
