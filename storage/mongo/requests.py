"""Which requests a log has already: (room, sender, client_id) is there once."""

from collections.abc import Iterable, Mapping

from parley.storage.models import ClientId, Draft, Duplicate, Message, MessageId, RoomId, UserId
from parley.storage.mongo.database import MongoDatabase, Session
from parley.storage.mongo.documents import CREATE, message_from

Request = tuple[UserId, ClientId]


def request_of(draft: Draft) -> Request:
    """Return what a draft has in common with its retries."""
    return draft.sender, draft.client_id


async def stored(
    database: MongoDatabase,
    room_id: RoomId,
    requests: Iterable[Request],
    session: Session | None = None,
) -> Mapping[Request, Duplicate]:
    """Return the first row of each request that is known, with its message as of today.

    A row whose message is gone, as in a deleted room that is being swept, is left out.
    """
    wanted = set(requests)
    client_ids = sorted({client_id for _, client_id in wanted})
    asked = {
        "room_id": room_id,
        "from": {"$in": sorted({sender for sender, _ in wanted})},
        # The type, as it is the condition of the index: without it another one is taken.
        "client_id": {"$in": client_ids, "$type": "string"},
    }
    found = [
        row
        async for row in database.messages.find(asked, session=session)
        if (row["from"], row["client_id"]) in wanted
    ]
    messages = {row["_id"]: message_from(row) for row in found if row["kind"] == CREATE}
    changed = {row["message_id"] for row in found if row["kind"] != CREATE}
    messages |= await messages_by_id(database, room_id, changed - set(messages), session)
    return {
        (row["from"], row["client_id"]): Duplicate(
            rev=row["rev"],
            digest=row["digest"],
            created_at=row["created_at"],
            message=messages[message_id],
        )
        for row in found
        if (message_id := row.get("message_id", row["_id"])) in messages
    }


async def messages_by_id(
    database: MongoDatabase,
    room_id: RoomId,
    ids: Iterable[MessageId],
    session: Session | None = None,
) -> dict[MessageId, Message]:
    """Return those of the messages that the room has."""
    wanted = list(ids)
    if not wanted:
        return {}
    asked = {"_id": {"$in": wanted}, "room_id": room_id, "kind": CREATE}
    found = database.messages.find(asked, session=session)
    return {row["_id"]: message_from(row) async for row in found}
