"""The log of every room in MongoDB."""

import asyncio
from collections.abc import Sequence
from functools import partial

from parley.storage.errors import PositionTaken, StorageError, StorageUnavailable
from parley.storage.models import (
    SPOKEN,
    ClientId,
    Draft,
    Duplicate,
    Head,
    Message,
    MessageId,
    Outcome,
    Page,
    Purged,
    Room,
    RoomId,
    Stored,
    Timestamp,
    Unread,
    UserId,
)
from parley.storage.mongo import counting, purge, requests, rows, written
from parley.storage.mongo.append import PlainBatch, is_plain
from parley.storage.mongo.database import MongoDatabase, Session
from parley.storage.mongo.documents import CREATE, Document, message_from
from parley.storage.mongo.heads import is_older
from parley.storage.mongo.insert_queue import InsertQueue
from parley.storage.mongo.inserting import insert_each
from parley.storage.mongo.logs import PAUSE_S, TRIES
from parley.storage.mongo.migrations import REVISIONS

_SPOKEN = [type_.value for type_ in SPOKEN]
_OF_LIVING_ROOMS: Sequence[Document] = [
    {"$lookup": {"from": "rooms", "localField": "room_id", "foreignField": "_id", "as": "room"}},
    {"$match": {"room.deleted": False}},
]
_MESSAGE_OF_ROW: Document = {
    "$lookup": {
        "from": "messages",
        "localField": "message_id",
        "foreignField": "_id",
        "as": "message",
    }
}


class MongoMessages:
    """See `MessageRepository`."""

    def __init__(self, database: MongoDatabase) -> None:
        """Keep the log in ``database``."""
        self._database = database
        self._queue = InsertQueue(partial(insert_each, database.messages), in_turn=database.write)

    async def append(
        self, room_id: RoomId, *, epoch: str, after: int, drafts: Sequence[Draft]
    ) -> Sequence[Outcome]:
        """See `MessageRepository`."""
        if is_plain(drafts):
            batch = PlainBatch(
                self._database, self._queue, room_id, epoch=epoch, after=after, drafts=drafts
            )
            return await self._database.carry_out(batch.store())

        async def work(session: Session, room: Room) -> list[Outcome]:
            return await rows.place(self._database, session, room, after, drafts)

        try:
            outcomes = await rows.transact_at(
                self._database, room_id, work, epoch=epoch, after=after
            )
        except StorageError as error:
            if not isinstance(error, PositionTaken):
                self._database.heads.forget(room_id)
            raise
        taken = sum(isinstance(outcome, Stored) for outcome in outcomes)
        self._database.heads.learn(room_id, Head(epoch=epoch, rev=after + taken))
        return outcomes

    def heard(self, room_id: RoomId, *, epoch: str, after: int, rev: int) -> None:
        """See `MessageRepository`."""
        self._database.heads.follow(room_id, Head(epoch=epoch, rev=after), rev)

    async def stored(
        self, room_id: RoomId, sender: UserId, client_id: ClientId
    ) -> Duplicate | None:
        """See `MessageRepository`."""
        request = (sender, client_id)

        async def query() -> Duplicate | None:
            found = await requests.stored(self._database, room_id, [request])
            return None if found and await self._is_gone(room_id) else found.get(request)

        return await self._database.read(query())

    async def changes(self, room_id: RoomId, *, after: int, limit: int | None = None) -> Page:
        """See `MessageRepository`."""
        for _ in range(TRIES):
            page = await self._database.read(self._changes(room_id, after, limit))
            if page is not None:
                return page
            await asyncio.sleep(PAUSE_S)
        raise StorageUnavailable(f"the log of {room_id} is shorter than it was")

    async def _changes(self, room_id: RoomId, after: int, limit: int | None) -> Page | None:
        """Return None where the log is shorter than this process knows it to be."""
        known = self._database.heads.of(room_id)
        asked = {"room_id": room_id, "rev": {"$gt": after}}
        # One more than was asked for: is there more? A limit of 0 would be none at all.
        found = self._database.messages.find(asked).sort("rev", 1)
        found = found.limit(0 if limit is None else limit + 1)
        rows_ = [row async for row in found]
        room = await self._database.rooms.find_one({"_id": room_id})
        if room is None or room["deleted"]:
            return Page(messages=(), last=after, more=False)
        more = limit is not None and len(rows_) > limit
        stretch = rows_[:limit]
        last: int = stretch[-1]["rev"] if stretch else after
        head = Head(epoch=room["epoch"], rev=last)
        if not more and is_older(head, known):
            return None
        if not more and stretch:
            self._database.heads.learn(room_id, head)
        return Page(
            messages=await self._changed(room_id, stretch),
            last=last,
            more=more,
            dense=len(stretch) == last - after,
        )

    async def _changed(self, room_id: RoomId, stretch: Sequence[Document]) -> tuple[Message, ...]:
        """Return the messages whose newest row is in the stretch, in the order of those rows.

        A message that is changed while this reads is left out, and comes with its newer row.
        """
        targets = {row["message_id"] for row in stretch if row["kind"] != CREATE}
        changed = await requests.messages_by_id(self._database, room_id, targets)
        messages: list[Message] = []
        for row in stretch:
            message = message_from(row) if row["kind"] == CREATE else changed.get(row["message_id"])
            if message is not None and message.rev == row["rev"]:
                messages.append(message)
        return tuple(messages)

    async def history(
        self,
        room_id: RoomId,
        *,
        limit: int,
        before: int | None = None,
        after: int | None = None,
        floor: int = 0,
    ) -> Sequence[Message]:
        """See `MessageRepository`."""
        stretch = {"$gt": max(floor - 1, 0 if after is None else after)}
        if before is not None:
            stretch["$lt"] = before
        asked = {"room_id": room_id, "rev": stretch, "kind": CREATE}
        order = -1 if after is None else 1

        async def query() -> list[Message]:
            found = self._database.messages.find(asked).sort("rev", order).limit(limit)
            messages = [message_from(row) async for row in found]
            return [] if messages and await self._is_gone(room_id) else messages[::order]

        return await self._database.read(query())

    async def get(self, message_id: MessageId) -> Message | None:
        """See `MessageRepository`."""

        async def query() -> Message | None:
            row = await self._database.messages.find_one({"_id": message_id, "kind": CREATE})
            if row is None or await self._is_gone(row["room_id"]):
                return None
            return message_from(row)

        return await self._database.read(query())

    async def unread(
        self, room_id: RoomId, user_id: UserId, *, after: int, upto: int | None = None
    ) -> Unread:
        """See `MessageRepository`."""

        async def query() -> Unread:
            found = await counting.unread(self._database, room_id, user_id, after, upto)
            if (found.count or found.mentions) and await self._is_gone(room_id):
                return Unread(count=0, mentions=0)
            return found

        return await self._database.read(query())

    async def written_by(
        self, author: UserId, *, reader: UserId, before: MessageId | None = None, limit: int
    ) -> Sequence[Message]:
        """See `MessageRepository`."""
        return await self._database.read(
            written.written_by(self._database, author, reader, before, limit)
        )

    async def spoken(self, *, after: str, limit: int) -> Sequence[Message]:
        """See `MessageRepository`."""
        stages: list[Document] = [
            {"$match": {"_id": {"$gt": after}, "kind": CREATE, "type": {"$in": _SPOKEN}}},
            {"$sort": {"_id": 1}},
            *_OF_LIVING_ROOMS,
            {"$limit": limit},
        ]

        async def query() -> list[Message]:
            found = await self._database.messages.aggregate(stages)
            return [message_from(row) async for row in found]

        return await self._database.read(query())

    async def revised(
        self, *, after: tuple[Timestamp, str], limit: int
    ) -> Sequence[tuple[Timestamp, Message]]:
        """See `MessageRepository`."""
        at, message_id = after
        later = [
            {"created_at": {"$gt": at}},
            {"created_at": at, "message_id": {"$gt": message_id}},
        ]
        stages: list[Document] = [
            {"$match": {"kind": {"$in": REVISIONS}, "$or": later}},
            {"$sort": {"created_at": 1, "message_id": 1}},
            *_OF_LIVING_ROOMS,
            {"$limit": limit},
            _MESSAGE_OF_ROW,
            {"$unwind": "$message"},
        ]

        async def query() -> list[tuple[Timestamp, Message]]:
            found = await self._database.messages.aggregate(stages)
            return [(row["created_at"], message_from(row["message"])) async for row in found]

        return await self._database.read(query())

    async def purge(self, room_id: RoomId, *, before: Timestamp, limit: int) -> Purged:
        """See `MessageRepository`."""
        return await self._database.transact(
            lambda session: purge.step(self._database, session, room_id, before, limit)
        )

    async def oldest(self, room_id: RoomId) -> int:
        """See `MessageRepository`."""

        async def query() -> int:
            # The oldest row is always a message: its changes come after it, and go before it.
            row = await self._database.messages.find_one(
                {"room_id": room_id}, {"rev": 1}, sort=[("rev", 1)]
            )
            return 1 if row is None or await self._is_gone(room_id) else int(row["rev"])

        return await self._database.read(query())

    async def _is_gone(self, room_id: RoomId) -> bool:
        """Whether what was read of a log before must not show: its rows are left for a while."""
        asked = {"_id": room_id, "deleted": True}
        return await self._database.rooms.find_one(asked, {"_id": 1}) is not None
