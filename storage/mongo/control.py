"""Rooms and memberships in a transaction: what control rows fold into."""

from collections import Counter
from collections.abc import Collection, Iterable
from typing import Any

from pymongo import DeleteOne, ReplaceOne, UpdateOne

from parley.storage import fold
from parley.storage.models import Draft, Membership, Message, Room, RoomId, UserId
from parley.storage.mongo.database import Document, MongoDatabase, Session
from parley.storage.mongo.documents import (
    document_of_membership,
    document_of_room,
    membership_from,
)


class RoomFold:
    """A room and those of its memberships that a batch may change, in memory until `write`."""

    def __init__(self, room: Room, memberships: Iterable[Membership] = ()) -> None:
        """Begin with the state in the database."""
        self._stored = room
        self._room = room
        self._memberships = {m.user_id: m for m in memberships}
        self._changed = Counter[UserId]()  # how often each of them
        self._joined = 0  # how many more are inside

    def apply(self, message: Message) -> None:
        """Fold one control message."""
        self._room = fold.room_after(self._room, message)
        # All of them before the first is kept: each follows from what was.
        found = list(fold.memberships_after(self._room, self._memberships.get, message))
        for user_id, after in found:
            before = self._memberships.pop(user_id, None)
            if after is not None:
                self._memberships[user_id] = after
            was, is_ = (m is not None and m.is_member for m in (before, after))
            self._joined += is_ - was
            self._changed[user_id] += 1

    async def write(self, database: MongoDatabase, session: Session) -> None:
        """Write what has changed."""
        room_id = self._room.id
        if self._room != self._stored or self._joined:
            change = {"$set": document_of_room(self._room), "$inc": {"member_count": self._joined}}
            await database.rooms.update_one({"_id": room_id}, change, session=session)
        if self._changed:
            changes = [self._change_of(room_id, user_id) for user_id in self._changed]
            await database.members.bulk_write(changes, session=session)
            await raise_revisions(database, self._changed, session)

    def _change_of(self, room_id: RoomId, user_id: UserId) -> ReplaceOne[Document] | DeleteOne:
        key = {"room_id": room_id, "user_id": user_id}
        after = self._memberships.get(user_id)
        if after is None:
            return DeleteOne(key)
        return ReplaceOne(key, document_of_membership(after), upsert=True)


async def raise_revisions(
    database: MongoDatabase, times: "Counter[UserId]", session: Session
) -> None:
    """Count changes of users' memberships: who follows them has one number to look at."""
    raised: list[UpdateOne] = [
        UpdateOne({"_id": user_id}, {"$inc": {"revision": by}}, upsert=True)
        for user_id, by in times.items()
    ]
    await database.revisions.bulk_write(raised, session=session)


async def memberships_of(
    database: MongoDatabase, room_id: RoomId, user_ids: Collection[UserId], session: Session
) -> list[Membership]:
    """Return the memberships that some users have."""
    if not user_ids:
        return []
    asked: dict[str, Any] = {"room_id": room_id, "user_id": {"$in": sorted(user_ids)}}
    return [membership_from(found) async for found in database.members.find(asked, session=session)]


def users_named_in(room_id: RoomId, drafts: Iterable[Draft]) -> set[UserId]:
    """Return whose memberships control rows may change: theirs, their heirs' and the givers'."""
    users = set[UserId]()
    for draft in drafts:
        user_id = fold.subject(fold.created(room_id, draft, 0))
        users |= {draft.sender} | ({user_id} if user_id is not None else set())
        if "owner" in draft.content:
            users.add(UserId(draft.content["owner"]))
    return users
