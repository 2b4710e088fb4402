"""All rooms of one member at once, in MongoDB: what is unread in each, and what was said last."""

from collections.abc import Mapping, Sequence
from typing import Any

from parley.storage.models import SPOKEN, RoomId, RoomOverview, RoomType, Unread, UserId
from parley.storage.mongo.counting import counted_unread, unread_from
from parley.storage.mongo.database import Document, MongoDatabase, Session
from parley.storage.mongo.documents import membership_from, message_from, room_from
from parley.storage.mongo.logs import ends_of


def rooms_of(user_id: UserId | Document, **condition: Any) -> Document:
    """Return the condition of memberships of who is inside."""
    return {"user_id": user_id, "state": "member", **condition}


async def overviews(
    database: MongoDatabase, session: Session, user_id: UserId, after: RoomId | None, limit: int
) -> Sequence[RoomOverview]:
    """See `MemberRepository.overviews`."""
    asked = rooms_of(user_id, room_id={"$gt": after or ""})
    stages: list[Document] = [
        {"$match": asked},
        {"$sort": {"room_id": 1}},
        {"$limit": limit},
        *counted_unread(user_id),
        _looked_up("room", "rooms", []),
        _looked_up("last", "messages", _LAST),
        _looked_up("peer", "members", [{"$match": {"user_id": {"$ne": user_id}}}, _ONE]),
    ]
    found = [row async for row in await database.members.aggregate(stages, session=session)]
    heads = await ends_of(database, [row["room_id"] for row in found], session)
    return [_overview(row, heads[row["room_id"]].rev) for row in found]


async def unread(
    database: MongoDatabase, session: Session, user_id: UserId
) -> Mapping[RoomId, Unread]:
    """See `MemberRepository.unread`."""
    stages = [{"$match": rooms_of(user_id)}, *counted_unread(user_id)]
    found = await database.members.aggregate(stages, session=session)
    counts = {row["room_id"]: unread_from(row) async for row in found}
    return {room_id: n for room_id, n in counts.items() if n.count or n.mentions}


_ONE: Document = {"$limit": 1}
_LAST: list[Document] = [
    {
        "$match": {
            "type": {"$in": sorted(type_.value for type_ in SPOKEN)},
            "$expr": {"$gte": ["$rev", "$$visible"]},
        }
    },
    {"$sort": {"rev": -1}},
    _ONE,
]


def _looked_up(name: str, collection: str, stages: list[Document]) -> Document:
    """Return the stage that puts what belongs to a membership's room into ``name``."""
    found = {
        "from": collection,
        "localField": "room_id",
        "foreignField": "_id" if collection == "rooms" else "room_id",
        "let": {"visible": "$visible_from_seq"},
        "pipeline": stages,
        "as": name,
    }
    return {"$lookup": found}


def _overview(row: Document, head: int) -> RoomOverview:
    (room,) = row["room"]
    peers = row["peer"] if room["type"] == RoomType.DIRECT.value else []
    return RoomOverview(
        membership=membership_from(row),
        room=room_from(room),
        head=head,
        member_count=room["member_count"],
        unread=unread_from(row),
        last_message=message_from(row["last"][0]) if row["last"] else None,
        peer=peers[0]["user_id"] if peers else None,
    )
