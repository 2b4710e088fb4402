"""What people see of rooms themselves: mine, those to find, who is in one."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from parley.namespaces.chat import access
from parley.namespaces.chat.feed import RoomFeed
from parley.namespaces.chat.feeds import RoomFeeds
from parley.namespaces.chat.room_schemas import Discover, ListMembers, ListRooms
from parley.namespaces.chat.views import entry_view, member_view, room_view, view_of
from parley.namespaces.errors import Forbidden
from parley.namespaces.paging import from_cursor, to_cursor
from parley.storage.base import MemberRepository, RoomRepository
from parley.storage.models import MemberState, RoomId, Timestamp, UserId

LIST_BYTES = 262_144  # of a list of rooms; what does not fit is on the next page
WAITING_BYTES = 65_536  # of those that wait: anybody may invite, so it is no place to fill
STEP = 50  # rooms read at once

View = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A page of a list, its items as clients see them."""

    items: Sequence[View]
    next: str | None = None  # the cursor of the next page, None after the last

    def to_wire(self, name: str) -> View:
        """Return the page with its items under ``name``."""
        return {name: list(self.items), **({"next": self.next} if self.next is not None else {})}


class Directory:
    """Answers which rooms there are and who is in them."""

    def __init__(
        self,
        *,
        feeds: RoomFeeds,
        rooms: RoomRepository,
        members: MemberRepository,
        now: Callable[[], Timestamp],
    ) -> None:
        self._feeds = feeds
        self._rooms = rooms
        self._members = members
        self._now = now

    async def room(self, user_id: UserId, room_id: RoomId) -> View:
        """Return one room as the user may see it.

        Raises:
            NotFound, Forbidden: See `access.viewer`.
            Gone: It was deleted.
        """
        feed = (await self._feeds.open(room_id, by=user_id)).feed
        access.viewer(feed.room, feed.members, user_id)
        return view_of(feed, user_id, self._now())

    async def mine(self, user_id: UserId, request: ListRooms) -> Listing:
        """Return rooms the user is inside, by id, with what she has not read."""
        after = RoomId(from_cursor(request.cursor, 1)[0]) if request.cursor is not None else None
        now, left = self._now(), LIST_BYTES
        items: list[View] = []
        while True:
            found = await self._members.overviews(user_id, after=after, limit=STEP)
            for overview in found:
                view = entry_view(overview, now)
                left -= len(orjson.dumps(view))
                if items and (left < 0 or len(items) == request.limit):
                    return Listing(items=items, next=to_cursor(items[-1]["room"]["id"]))
                items.append(view)
            if len(found) < STEP:
                return Listing(items=items)
            after = found[-1].room.id

    async def waiting(self, user_id: UserId) -> Sequence[View]:
        """Return rooms that invite the user, or that she asked to join; as many as fit."""
        now = self._now()
        return _fitting(
            room_view(room, membership, now, member_count=count)
            for membership, room, count in await self._members.waiting(user_id)
        )

    async def members(self, user_id: UserId, request: ListMembers) -> Listing:
        """Return who stands with a room in one way, by user id.

        Raises:
            NotFound, Forbidden: See `access.check`; only owner and admins see who is not inside.
        """
        feed = (await self._feeds.open(request.room_id, by=user_id)).feed
        self._check_members(feed, user_id, request)
        after = UserId(from_cursor(request.cursor, 1)[0]) if request.cursor is not None else None
        found = await self._members.of_room(
            request.room_id, state=request.state, after=after, limit=request.limit + 1
        )
        # Another node may have written that this is not for her any more.
        await feed.catch_up()
        feed = (await self._feeds.open(request.room_id, by=user_id)).feed
        self._check_members(feed, user_id, request)
        now = self._now()
        shown = [member_view(member, name, now) for member, name in found[: request.limit]]
        more = len(found) > len(shown)
        return Listing(items=shown, next=to_cursor(shown[-1]["user_id"]) if more else None)

    def _check_members(self, feed: RoomFeed, user_id: UserId, request: ListMembers) -> None:
        membership = access.check("members", feed.room, feed.members, user_id, self._now())
        if request.state is not MemberState.MEMBER and membership.role not in access.STAFF:
            raise Forbidden("only owner and admins see this", room_id=request.room_id)

    async def discover(self, user_id: UserId, request: Discover) -> Listing:
        """Return listed rooms by name, whether the user is inside or not."""
        after = None
        if request.cursor is not None:
            name, room_id = from_cursor(request.cursor, 2)
            after = (name, RoomId(room_id))
        found = await self._rooms.listed(containing=request.q, after=after, limit=request.limit + 1)
        page = found[: request.limit]
        standing = await self._members.among(user_id, [listing.room.id for listing in page])
        now = self._now()
        shown = [
            room_view(one.room, standing.get(one.room.id), now, member_count=one.member_count)
            for one in page
        ]
        more = len(found) > len(page)
        return Listing(items=shown, next=to_cursor(*page[-1].key) if more else None)


def _fitting(views: Iterable[View]) -> list[View]:
    """Return as many as fit into `WAITING_BYTES`, at least one."""
    left, kept = WAITING_BYTES, list[View]()
    for view in views:
        left -= len(orjson.dumps(view))
        if left < 0 and kept:
            break
        kept.append(view)
    return kept
