"""What one user said, in all rooms that another can read, in MongoDB."""

from collections.abc import Sequence
from typing import Any

from parley.storage.models import Message, MessageId, UserId
from parley.storage.mongo.database import MongoDatabase
from parley.storage.mongo.documents import Document, message_from
from parley.storage.mongo.overviews import rooms_of

_BY_FALLING_ID = {"$sort": {"_id": -1}}


async def written_by(
    database: MongoDatabase,
    author: UserId,
    reader: UserId,
    before: MessageId | None,
    limit: int,
) -> Sequence[Message]:
    """See `MessageRepository.written_by`."""
    asked: Document = {"from": author, "spoken": True}
    if before is not None:
        asked["_id"] = {"$lt": before}
    stages = [
        {"$match": rooms_of(reader)},
        # The newest messages are in the rooms with the newest messages: as many rooms as
        # messages are enough, and of each as many again.
        _in_room("newest", asked, 1, [{"$project": {"_id": 1}}]),
        {"$match": {"newest": {"$ne": []}}},
        {"$sort": {"newest._id": -1}},
        {"$limit": limit},
        _in_room("own", asked, limit, []),
        {"$unwind": "$own"},
        {"$replaceRoot": {"newRoot": "$own"}},
        _BY_FALLING_ID,
        {"$limit": limit},
    ]
    return [message_from(row) async for row in await database.members.aggregate(stages)]


def _in_room(name: str, asked: Document, limit: int, rest: list[dict[str, Any]]) -> dict[str, Any]:
    visible = {"$match": {**asked, "$expr": {"$gte": ["$rev", "$$visible"]}}}
    found = {
        "from": "messages",
        "localField": "room_id",
        "foreignField": "room_id",
        "let": {"visible": "$visible_from_seq"},
        "pipeline": [visible, _BY_FALLING_ID, {"$limit": limit}, *rest],
        "as": name,
    }
    return {"$lookup": found}
