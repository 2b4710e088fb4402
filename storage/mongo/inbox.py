"""Rows that change notifications: each inbox by itself, in a transaction, like `rows` of rooms.

The row and what it does to its notification are there together. So no list and no count ever
shows one without the other, and who repeats a call that broke off finds nothing left to do.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pymongo import UpdateOne

from parley.storage.models import ClientId, Timestamp, UserId
from parley.storage.mongo.database import Document, MongoDatabase, Session
from parley.storage.mongo.inbox_documents import (
    ENDINGS,
    row_of_change,
    state_after,
)
from parley.storage.notifications import Ending

R = TypeVar("R")
T = TypeVar("T")


AT_ONCE = 8  # inboxes that are changed side by side

_NEWEST = [("rev", -1)]
PLACE = {"user_id": 1, "rev": 1}  # of a notification that is to be changed


@dataclass(frozen=True, slots=True)
class Change:
    """What a row does to its notification."""

    kind: str
    at: Timestamp
    says: bytes | None = None  # its content from then on


async def heads(
    database: MongoDatabase, user_ids: Collection[UserId], session: Session | None = None
) -> dict[UserId, int]:
    """Return the newest position of each inbox, 0 for one that has nothing."""
    # The first of each group in the order of the index: one step an inbox, however long it is.
    stages: list[dict[str, Any]] = [
        {"$match": {"user_id": {"$in": list(user_ids)}}},
        {"$sort": {"user_id": -1, "rev": -1}},
        {"$group": {"_id": "$user_id", "rev": {"$first": "$rev"}}},
    ]
    found = dict.fromkeys(user_ids, 0)
    async for group in await database.inbox.aggregate(stages, session=session):
        found[group["_id"]] = group["rev"]
    return found


async def change(
    database: MongoDatabase,
    user_id: UserId,
    asked: Document,
    what: Change,
    *,
    limit: int | None = None,
) -> tuple[int, int]:
    """Change the oldest notifications of an inbox that fit ``asked``.

    Returns how many there were, and the head of the inbox.
    """

    async def work(session: Session) -> tuple[int, int]:
        found = database.inbox.find({"user_id": user_id, **asked}, PLACE, session=session)
        places = await found.sort("rev", 1).limit(limit or 0).to_list()
        head = await append(database, session, places, user_id, what)
        return len(places), head

    return await database.transact(work)


async def append(
    database: MongoDatabase,
    session: Session,
    places: Sequence[Document],
    user_id: UserId,
    what: Change,
) -> int:
    """Append a row for each notification, fold it, and return the head; in a transaction."""
    inbox = database.inbox
    newest = await inbox.find_one({"user_id": user_id}, {"rev": 1}, sort=_NEWEST, session=session)
    head: int = 0 if newest is None else newest["rev"]
    if not places:
        return head
    rows = [
        row_of_change(place, rev, what.kind, what.at) for rev, place in enumerate(places, head + 1)
    ]
    await inbox.insert_many(rows, ordered=True, session=session)
    states: list[UpdateOne] = [
        UpdateOne({"_id": row["notification_id"]}, state_after(row["rev"], what.kind, what.says))
        for row in rows
    ]
    await inbox.bulk_write(states, session=session)
    return head + len(rows)


async def change_all(
    database: MongoDatabase, asked: Document, order: str, what: Change, *, limit: int
) -> Mapping[UserId, int]:
    """Change at most ``limit`` notifications that fit ``asked``, whosever they are.

    Returns the heads of their users.
    """
    ids = await _places(database, asked, order, limit)
    changed = await _change_each(database, ids, asked, what)
    return {user_id: head for user_id, (count, head) in changed.items() if count}


async def retract_all(
    database: MongoDatabase, client_ids: Collection[ClientId], at: Timestamp, limit: int
) -> int:
    """End at most ``limit`` notifications with one of these, and return how many were found.

    0: none is left. Somebody else may have ended some of those that were found.
    """
    asked: Document = {"client_id": {"$in": list(client_ids), "$type": "string"}}
    ids = await _places(database, asked, "client_id", limit)
    await _change_each(database, ids, asked, Change(Ending.DELETE.value, at))
    return sum(map(len, ids.values()))


async def _places(
    database: MongoDatabase, asked: Document, order: str, limit: int
) -> Mapping[UserId, Sequence[str]]:
    """Return the ids of at most ``limit`` notifications that fit ``asked`` and have not ended."""

    async def query() -> list[Document]:
        found = database.inbox.find({"kept": True, **asked}, {"user_id": 1})
        return await found.sort(order, 1).limit(limit).to_list()

    ids: dict[UserId, list[str]] = {}
    for place in await database.read(query()):
        ids.setdefault(place["user_id"], []).append(place["_id"])
    return ids


async def _change_each(
    database: MongoDatabase, ids: Mapping[UserId, Sequence[str]], asked: Document, what: Change
) -> Mapping[UserId, tuple[int, int]]:
    """Change those that still fit ``asked``; return `change` of each inbox."""

    async def one(user_id: UserId) -> tuple[int, int]:
        return await change(database, user_id, {**asked, **kept_among(ids[user_id])}, what)

    changed = await side_by_side(one, list(ids))
    return dict(zip(ids, changed, strict=True))


async def side_by_side(work: Callable[[T], Awaitable[R]], items: Sequence[T]) -> list[R]:
    """Return ``work`` of each item, a few at once.

    What one of them raises is raised when all are through.
    """
    places = asyncio.Semaphore(AT_ONCE)

    async def one(item: T) -> R:
        async with places:
            return await work(item)

    found = await asyncio.gather(*map(one, items), return_exceptions=True)
    results: list[R] = []
    for result in found:
        if isinstance(result, BaseException):
            raise result
        results.append(result)
    return results


def kept_among(ids: Collection[str]) -> Document:
    """Return the condition of those of ``ids`` that have not ended."""
    return {"_id": {"$in": list(ids)}, "kept": True}


async def purge(database: MongoDatabase, session: Session, before: Timestamp, limit: int) -> int:
    """See `NotificationRepository.purge`; in a transaction."""
    stages: list[dict[str, Any]] = [
        {"$match": {"kind": {"$in": ENDINGS}, "created_at": {"$lt": before}}},
        {"$sort": {"created_at": 1}},
        # The row at a head stays.
        {
            "$lookup": {
                "from": "inbox",
                "localField": "user_id",
                "foreignField": "user_id",
                "pipeline": [{"$sort": {"rev": -1}}, {"$limit": 1}, {"$project": {"rev": 1}}],
                "as": "newest",
            }
        },
        {"$match": {"$expr": {"$lt": ["$rev", {"$first": "$newest.rev"}]}}},
        {"$limit": limit},
        {"$project": {"notification_id": 1}},
    ]
    found = await database.inbox.aggregate(stages, session=session)
    going = [row["notification_id"] async for row in found]
    if going:
        for name in ("_id", "notification_id"):
            await database.inbox.delete_many({name: {"$in": going}}, session=session)
    return len(going)
