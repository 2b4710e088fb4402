"""What presence asks about rooms, answered by the chat and its storage."""

from collections.abc import Collection, Mapping

from parley.namespaces.chat import access
from parley.namespaces.chat.feed import RoomFeed
from parley.namespaces.chat.feeds import RoomFeeds
from parley.namespaces.errors import Gone, NotFound
from parley.storage.base import MemberRepository
from parley.storage.models import RoomId, UserId


class Acquaintances:
    """See `parley.namespaces.presence.seams.Rooms`."""

    def __init__(self, *, feeds: RoomFeeds, members: MemberRepository) -> None:
        self._feeds = feeds
        self._members = members

    async def sharing(self, user_id: UserId, others: Collection[UserId]) -> Collection[UserId]:
        """See `Rooms`."""
        return await self._members.sharing(user_id, others)

    async def neighbours(self, user_id: UserId) -> Collection[UserId]:
        """See `Rooms`."""
        return await self._members.neighbours(user_id)

    async def shown_to(self, user_id: UserId, room_id: RoomId) -> Collection[UserId]:
        """See `Rooms`."""
        feed = await self._feed(room_id)
        access.member(feed.room, feed.members, user_id)
        return _inside(feed)

    async def inside(self, room_id: RoomId) -> Collection[UserId]:
        """See `Rooms`."""
        try:
            return _inside(await self._feed(room_id))
        except (NotFound, Gone):
            return ()

    async def revisions(self, user_ids: Collection[UserId]) -> Mapping[UserId, int]:
        """See `Rooms`."""
        return await self._members.revisions(user_ids)

    async def _feed(self, room_id: RoomId) -> RoomFeed:
        """Return a room as storage has it now: a hint of a membership may come before the row's."""
        while True:
            feed = (await self._feeds.open(room_id)).feed
            await feed.catch_up()
            if not feed.dropped:
                return feed


def _inside(feed: RoomFeed) -> Collection[UserId]:
    return [membership.user_id for membership in feed.members.values() if membership.is_member]
