"""Memberships and read marks in MongoDB."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from parley.storage.models import (
    WAITING,
    WAITING_CAP,
    Head,
    Membership,
    MemberState,
    Role,
    Room,
    RoomId,
    RoomOverview,
    Unread,
    UserId,
)
from parley.storage.mongo import overviews
from parley.storage.mongo.database import Document, MongoDatabase, Session
from parley.storage.mongo.documents import membership_from, room_from
from parley.storage.mongo.errors import translated_reads, translated_write
from parley.storage.mongo.logs import current_end, ends_of
from parley.storage.mongo.shared import Shared
from parley.storage.mongo.users import names_of

Mine = tuple[Membership, Room, Head]

USERS = 16  # in one query of all their rooms: each may be in a thousand


class MongoMembers:
    """See `MemberRepository`."""

    def __init__(self, database: MongoDatabase) -> None:
        """Keep memberships in ``database``."""
        self._database = database
        # What every client that comes back asks for.
        self._of_users: Shared[UserId, list[Mine]] = Shared(self._of_each, most=USERS)
        self._revisions: Shared[UserId, int] = Shared(self._revisions_of)
        self._single: Shared[tuple[RoomId, UserId], Membership] = Shared(self._each)

    async def of_user(self, user_id: UserId) -> Sequence[Mine]:
        """See `MemberRepository`."""
        return await self._of_users.get(user_id) or ()

    async def _of_each(self, user_ids: Collection[UserId]) -> Mapping[UserId, list[Mine]]:
        async def query(session: Session) -> Mapping[UserId, list[Mine]]:
            asked = overviews.rooms_of({"$in": list(user_ids)})
            members = self._database.members.find(asked, session=session)
            found = [membership_from(m) async for m in members.sort("room_id", 1)]
            ids = list({membership.room_id for membership in found})
            heads = await ends_of(self._database, ids, session)
            rooms = {id: room_from(room) for id, room in (await self._rooms(ids, session)).items()}
            mine: defaultdict[UserId, list[Mine]] = defaultdict(list)
            for m in found:
                mine[m.user_id].append((m, rooms[m.room_id], heads[m.room_id]))
            return mine

        return await self._database.view(query)

    async def waiting(self, user_id: UserId) -> Sequence[tuple[Membership, Room, int]]:
        """See `MemberRepository`."""
        states = sorted(state.value for state in WAITING)
        asked = {"user_id": user_id, "state": {"$in": states}}

        async def query(session: Session) -> list[tuple[Membership, Room, int]]:
            members = self._database.members.find(asked, session=session)
            # By state first, which is the order of the index.
            members = members.sort([("state", 1), ("room_id", 1)]).limit(WAITING_CAP)
            found = [membership_from(member) async for member in members]
            rooms = await self._rooms([m.room_id for m in found], session)
            return [
                (m, room_from(rooms[m.room_id]), rooms[m.room_id]["member_count"]) for m in found
            ]

        return await self._database.view(query)

    async def _rooms(self, ids: Sequence[RoomId], session: Session) -> dict[RoomId, Document]:
        found = self._database.rooms.find({"_id": {"$in": list(ids)}}, session=session)
        return {room["_id"]: room async for room in found}

    async def of_room(
        self, room_id: RoomId, *, state: MemberState, after: UserId | None = None, limit: int
    ) -> Sequence[tuple[Membership, str | None]]:
        """See `MemberRepository`."""
        asked = {"room_id": room_id, "state": state.value, "user_id": {"$gt": after or ""}}

        async def query() -> list[tuple[Membership, str | None]]:
            members = self._database.members.find(asked).sort("user_id", 1).limit(limit)
            found = [membership_from(member) async for member in members]
            names = await names_of(self._database, [m.user_id for m in found])
            return [(membership, names.get(membership.user_id)) for membership in found]

        return await self._database.read(query())

    async def overviews(
        self, user_id: UserId, *, after: RoomId | None = None, limit: int
    ) -> Sequence[RoomOverview]:
        """See `MemberRepository`."""
        return await self._database.view(
            lambda session: overviews.overviews(self._database, session, user_id, after, limit)
        )

    async def unread(self, user_id: UserId) -> Mapping[RoomId, Unread]:
        """See `MemberRepository`."""
        return await self._database.view(
            lambda session: overviews.unread(self._database, session, user_id)
        )

    async def count(self, user_id: UserId, *, owned: bool = False) -> int:
        """See `MemberRepository`."""
        condition = {"role": Role.OWNER.value} if owned else {}
        asked = overviews.rooms_of(user_id, **condition)
        return await self._database.read(self._database.members.count_documents(asked))

    async def revisions(self, user_ids: Collection[UserId]) -> Mapping[UserId, int]:
        """See `MemberRepository`."""
        if len(user_ids) == 1:
            return {user_id: await self._revisions.get(user_id) or 0 for user_id in user_ids}
        return await self._revisions_of(user_ids)

    async def _revisions_of(self, user_ids: Collection[UserId]) -> Mapping[UserId, int]:
        async def query() -> dict[UserId, int]:
            found = self._database.revisions.find({"_id": {"$in": list(user_ids)}})
            known = {user["_id"]: user["revision"] async for user in found}
            return {user_id: known.get(user_id, 0) for user_id in user_ids}

        return await self._database.read(query())

    async def get(self, room_id: RoomId, user_id: UserId) -> Membership | None:
        """See `MemberRepository`."""
        return await self._single.get((room_id, user_id))

    async def _each(
        self, keys: Collection[tuple[RoomId, UserId]]
    ) -> Mapping[tuple[RoomId, UserId], Membership]:
        pairs = [{"room_id": room_id, "user_id": user_id} for room_id, user_id in keys]

        async def query() -> dict[tuple[RoomId, UserId], Membership]:
            members = self._database.members.find({"$or": pairs})
            found = [membership_from(member) async for member in members]
            return {(m.room_id, m.user_id): m for m in found}

        return await self._database.read(query())

    async def among(
        self, user_id: UserId, room_ids: Collection[RoomId]
    ) -> Mapping[RoomId, Membership]:
        """See `MemberRepository`."""
        asked = {"room_id": {"$in": list(room_ids)}, "user_id": user_id}

        async def query() -> dict[RoomId, Membership]:
            found = self._database.members.find(asked)
            return {member["room_id"]: membership_from(member) async for member in found}

        return await self._database.read(query())

    async def sharing(self, user_id: UserId, others: Collection[UserId]) -> Collection[UserId]:
        """See `MemberRepository`."""
        return await self._database.read(self._neighbours(user_id, {"$in": list(others)}))

    async def neighbours(self, user_id: UserId) -> Collection[UserId]:
        """See `MemberRepository`."""
        return await self._database.read(self._neighbours(user_id, {"$exists": True}))

    async def _neighbours(self, user_id: UserId, who: Mapping[str, Any]) -> Collection[UserId]:
        mine = await self._database.members.distinct("room_id", overviews.rooms_of(user_id))
        inside = {"room_id": {"$in": mine}, "state": MemberState.MEMBER.value}
        return set(await self._database.members.distinct("user_id", {**inside, "user_id": who}))

    async def mark_read(self, room_id: RoomId, user_id: UserId, seq: int) -> int:
        """See `MemberRepository`."""
        membership = await self.get(room_id, user_id)
        if membership is None or not membership.is_member:
            return 0
        # What is not raised is not written either, so reading the same again is cheap.
        if seq <= membership.read_seq:
            return membership.read_seq
        return await self._database.write(self._raise_mark(room_id, user_id, seq))

    async def _raise_mark(self, room_id: RoomId, user_id: UserId, seq: int) -> int:
        with translated_reads():
            end = await current_end(self._database, room_id)
        seq = min(seq, end.head.rev if end is not None else 0)
        # $max: a mark that rose meanwhile stays, and so does that of a later membership.
        with translated_write():
            await self._database.members.update_one(
                overviews.rooms_of(user_id, room_id=room_id), {"$max": {"read_seq": seq}}
            )
        after = await self.get(room_id, user_id)
        return after.read_seq if after is not None and after.is_member else 0
