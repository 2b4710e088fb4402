"""The inbox of every user in MongoDB."""

from collections.abc import Collection, Mapping, Sequence

import orjson

from parley.storage.models import JSON, UNREAD_CAP, ClientId, Head, Timestamp, UserId
from parley.storage.mongo import inbox
from parley.storage.mongo.adding import Adding, PushRoom
from parley.storage.mongo.database import Document, MongoDatabase, Session
from parley.storage.mongo.documents import CREATE
from parley.storage.mongo.inbox_documents import EDIT, READ, notification_from
from parley.storage.mongo.migrations import INBOX_EPOCH
from parley.storage.mongo.pushes import Places
from parley.storage.notifications import (
    Added,
    Ending,
    InboxPage,
    Notification,
    NotificationDraft,
    NotificationId,
    PushTerms,
)


class MongoNotifications:
    """See `NotificationRepository`."""

    def __init__(self, database: MongoDatabase) -> None:
        """Keep inboxes in ``database``."""
        self._database = database
        self._places = Places(database)

    async def add(
        self, drafts: Sequence[NotificationDraft], *, push: PushTerms | None = None
    ) -> Sequence[Added]:
        """See `NotificationRepository`.

        An outbox that was full counts as full for up to a second more.
        """
        left = 0
        if push is not None:
            left = await self._places.left(most=push.most, wanted=len(drafts))
        return await Adding(self._database, drafts, PushRoom(push, left)).store()

    async def mark_read(
        self,
        user_id: UserId,
        *,
        ids: Collection[NotificationId] | None = None,
        upto: int | None = None,
        at: Timestamp,
        limit: int,
    ) -> int:
        """See `NotificationRepository`."""
        asked: Document = {"unread": True}
        if ids is not None:
            asked["_id"] = {"$in": list(ids)}
        elif upto is not None:
            asked["rev"] = {"$lte": upto}
        read = inbox.Change(READ, at)
        count, _ = await inbox.change(self._database, user_id, asked, read, limit=limit)
        return count

    async def end(
        self, user_id: UserId, ids: Collection[NotificationId], *, how: Ending, at: Timestamp
    ) -> int:
        """See `NotificationRepository`."""
        ending = inbox.Change(how.value, at)
        count, _ = await inbox.change(self._database, user_id, inbox.kept_among(ids), ending)
        return count

    async def expire(
        self, *, now: Timestamp, made_before: Timestamp | None = None, limit: int
    ) -> Mapping[UserId, int]:
        """See `NotificationRepository`."""
        over = [("expires_at", {"$lte": now})]
        if made_before is not None:
            over.append(("created_at", {"$lt": made_before}))
        for name, condition in over:
            ending = inbox.Change(Ending.EXPIRE.value, now)
            ended = await inbox.change_all(
                self._database, {name: condition}, name, ending, limit=limit
            )
            if ended:
                return ended
        return {}

    async def purge(self, *, before: Timestamp, limit: int) -> int:
        """See `NotificationRepository`."""
        return await self._database.transact(
            lambda session: inbox.purge(self._database, session, before, limit)
        )

    async def holders(self, client_id: ClientId) -> Collection[UserId]:
        """See `NotificationRepository`."""
        found = self._database.inbox.distinct("user_id", {"kept": True, **_about(client_id)})
        return set(await self._database.read(found))

    async def retract(
        self,
        client_id: ClientId,
        *,
        among: Collection[UserId] | None = None,
        at: Timestamp,
        limit: int,
    ) -> Mapping[UserId, int]:
        """See `NotificationRepository`."""
        ending = inbox.Change(Ending.DELETE.value, at)
        return await inbox.change_all(
            self._database, _about(client_id, among), "user_id", ending, limit=limit
        )

    async def revise(
        self,
        client_id: ClientId,
        *,
        among: Collection[UserId],
        content: JSON,
        at: Timestamp,
        limit: int,
    ) -> Mapping[UserId, int]:
        """See `NotificationRepository`."""
        says = orjson.dumps(content)
        asked = _about(client_id, among) | {"content": {"$ne": says}}
        edit = inbox.Change(EDIT, at, says)
        return await inbox.change_all(self._database, asked, "user_id", edit, limit=limit)

    async def heads(self, user_ids: Collection[UserId]) -> Mapping[UserId, Head]:
        """See `NotificationRepository`."""

        async def query() -> dict[UserId, Head]:
            found = await self._database.schema.find_one({"_id": INBOX_EPOCH})
            epoch: str = found["epoch"] if found is not None else ""
            revs = await inbox.heads(self._database, user_ids)
            return {user_id: Head(epoch=epoch, rev=rev) for user_id, rev in revs.items()}

        return await self._database.read(query())

    async def changes(self, user_id: UserId, *, after: int, limit: int | None = None) -> InboxPage:
        """See `NotificationRepository`."""

        async def query(session: Session) -> InboxPage:
            asked = {"user_id": user_id, "rev": {"$gt": after}}
            # One more than was asked for: is there more? A limit of 0 would be none at all.
            found = self._database.inbox.find(asked, session=session).sort("rev", 1)
            rows = await found.limit(0 if limit is None else limit + 1).to_list()
            stretch = rows[:limit]
            last: int = stretch[-1]["rev"] if stretch else after
            return InboxPage(
                notifications=await self._changed(user_id, stretch, session),
                last=last,
                more=len(rows) > len(stretch),
                dense=len(stretch) == last - after,
            )

        return await self._database.view(query)

    async def _changed(
        self, user_id: UserId, stretch: Sequence[Document], session: Session
    ) -> tuple[Notification, ...]:
        """Return the notifications whose newest row is in the stretch, in the order of those."""
        ids = {row["notification_id"] for row in stretch if row["kind"] != CREATE}
        asked = {"_id": {"$in": list(ids)}, "user_id": user_id}
        made = {row["_id"]: row for row in stretch if row["kind"] == CREATE}
        if ids - made.keys():
            made |= {
                row["_id"]: row async for row in self._database.inbox.find(asked, session=session)
            }
        by_newest_row = {row["state_rev"]: row for row in made.values()}
        return tuple(
            notification_from(by_newest_row[row["rev"]])
            for row in stretch
            if row["rev"] in by_newest_row
        )

    async def listed(
        self, user_id: UserId, *, before: int | None = None, unread: bool = False, limit: int
    ) -> Sequence[Notification]:
        """See `NotificationRepository`."""
        asked: Document = {"user_id": user_id, "unread" if unread else "kept": True}
        if before is not None:
            asked["rev"] = {"$lt": before}

        async def query() -> list[Notification]:
            found = self._database.inbox.find(asked).sort("rev", -1).limit(limit)
            return [notification_from(row) async for row in found]

        return await self._database.read(query())

    async def unread(self, user_id: UserId) -> int:
        """See `NotificationRepository`."""
        asked = {"user_id": user_id, "unread": True}
        return await self._database.read(
            self._database.inbox.count_documents(asked, limit=UNREAD_CAP)
        )


def _about(client_id: ClientId, among: Collection[UserId] | None = None) -> Document:
    """Return the condition of what has a client_id, ``among`` some inboxes or in whatever one."""
    # The type, as it is the condition of the index.
    about: Document = {"client_id": {"$eq": client_id, "$type": "string"}}
    return about if among is None else {**about, "user_id": {"$in": list(among)}}
