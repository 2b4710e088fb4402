"""Following a listed room without becoming a member, for big audiences."""

from parley.namespaces.chat import access
from parley.namespaces.chat.audience import Watched
from parley.namespaces.chat.feeds import OpenRoom, RoomFeeds
from parley.namespaces.errors import Forbidden, Gone, NotFound
from parley.namespaces.session import Session
from parley.storage.models import RoomId

MAX_WATCHED = 100  # rooms of one socket


class Watching:
    """Lets sockets watch rooms, each as long as it lives."""

    def __init__(self, *, feeds: RoomFeeds, watched: Watched) -> None:
        self._feeds = feeds
        self._watched = watched

    async def watch(self, session: Session, room_id: RoomId) -> OpenRoom:
        """Let a socket follow a room; a member follows it anyway.

        Raises:
            NotFound, Forbidden: See `access.visitor`; or it watches `MAX_WATCHED` rooms.
        """
        room = await self._feeds.open(room_id, by=session.user_id)
        access.visitor(room.feed.room, room.feed.members, session.user_id)
        if not room.feed.follows(session):
            if len(self._watched.get(session, ())) >= MAX_WATCHED:
                await self._forget_deleted(session)
            if len(self._watched.get(session, ())) >= MAX_WATCHED:
                raise Forbidden(f"one connection watches {MAX_WATCHED} rooms at most")
            room.feed.audience.watch(session)
        return room

    async def _forget_deleted(self, session: Session) -> None:
        for room_id in list(self._watched[session]):
            try:
                await self._feeds.open(room_id)
            except (NotFound, Gone):
                self._watched[session].discard(room_id)

    async def unwatch(self, session: Session, room_id: RoomId) -> None:
        """End it; for a room that the socket does not watch nothing changes."""
        self._watched.get(session, set()).discard(room_id)
        # Not opened: it may be deleted by now, and nobody watches through a feed that is not there.
        feed = self._feeds.running(room_id)
        if feed is not None:
            feed.audience.unwatch(session)
