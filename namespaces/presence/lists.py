"""Who is here of a room, told to those of its members who follow that."""

import asyncio
from typing import Any

from parley.namespaces.eager import Crew
from parley.namespaces.errors import Forbidden, NotFound
from parley.namespaces.presence.follows import Follows
from parley.namespaces.presence.privacy import Privacy
from parley.namespaces.presence.room_list import RoomList
from parley.namespaces.presence.seams import Rooms
from parley.namespaces.presence.tracked import TrackedUsers
from parley.namespaces.presence.views import Sighting
from parley.namespaces.presence.wire import Notice, list_key
from parley.namespaces.session import Session
from parley.namespaces.transport import Transport
from parley.storage.errors import StorageUnavailable
from parley.storage.models import RoomId, UserId

BATCH_S = 0.5  # between two events about a room
MAX_LISTS = 100  # of one socket


class RoomLists:
    """Follows rooms for sockets of their members; all that happens in `BATCH_S` is one event."""

    def __init__(
        self,
        *,
        tracked: TrackedUsers,
        privacy: Privacy,
        rooms: Rooms,
        transport: Transport,
        crew: Crew,
    ) -> None:
        self._tracked = tracked
        self._privacy = privacy
        self._rooms = rooms
        self._transport = transport
        self._crew = crew
        self._lists: dict[RoomId, RoomList] = {}
        self._of: dict[UserId, set[RoomId]] = {}  # the lists that a user is in
        self._follows = Follows[RoomId]()
        self._timer: asyncio.TimerHandle | None = None
        self._due: dict[RoomId, None] = {}  # what is told when the timer ends
        tracked.observe(self._changed)

    # Coming and going

    def begin(self, session: Session) -> None:
        """Let a socket follow rooms."""
        self._follows.begin(session)

    async def follow(self, session: Session, room_id: RoomId) -> dict[str, Any]:
        """Follow a room from now on, and return who is here of it.

        Between the moment of that and the return nothing is sent.

        Raises:
            NotFound, Forbidden, Gone: See `Privacy.seen_in`; or she follows `MAX_LISTS` rooms.
            StorageUnavailable: She does not follow it.
        """
        await self._privacy.seen_in(session.user_id, room_id)
        followed = self._follows.of(session)
        if room_id not in followed and len(followed) >= MAX_LISTS:
            raise Forbidden(f"one connection follows {MAX_LISTS} rooms at most")
        room = self._lists.setdefault(room_id, RoomList(room_id=room_id, view=self._view))
        room.followers += 1  # so that nobody else gives it up meanwhile
        try:
            await self._refresh(room)
            if session.user_id not in room.members:
                # She has come since that was read, and the hint of it is on the way.
                room.stale = True
                await self._refresh(room)
            # No await from here: what changes from now on comes with an event.
            if session.user_id not in room.members:
                raise NotFound("not in this room any more", room_id=room_id)
            if not session.closed and room_id not in followed:
                room.followers += 1
                self._follows.add(session, room_id)
                self._transport.enter(session.sid, list_key(room_id))
            return room.told_to_one()
        finally:
            self._leave(room)

    def unfollow(self, session: Session, room_id: RoomId) -> None:
        """Follow a room no more; one that the socket does not follow is no error."""
        if room_id in self._follows.of(session):
            self._follows.discard(session, room_id)
            self._transport.leave(session.sid, list_key(room_id))
            self._leave(self._lists[room_id])

    def end(self, session: Session) -> None:
        """Forget a socket that is gone."""
        for room_id in list(self._follows.of(session)):
            self.unfollow(session, room_id)
        self._follows.end(session)

    def resume(self, session: Session, room_id: RoomId, key: str) -> None:
        """Tell a socket that missed what came through ``key`` who is here, and go on."""
        if room_id not in self._follows.of(session):
            return
        room = self._lists[room_id]
        if session.user_id not in room.members:
            self._see_out(session, room_id)
            return
        self._transport.enter(session.sid, key)
        self._transport.send(session.sid, Notice.ROOM, {**room.all(), "whole": True})

    def _leave(self, room: RoomList) -> None:
        room.followers -= 1
        if not room.followers:
            del self._lists[room.room_id]
            self._take_out(room, room.members)

    # What changes

    def moved(self, room_id: RoomId | None = None) -> None:
        """Take note that people came into a room or left it; None: perhaps into any."""
        for each in self._lists if room_id is None else {room_id} & self._lists.keys():
            self._lists[each].stale = True
            self._tell_soon(each)

    def _changed(self, before: Sighting, after: Sighting) -> None:
        if before.public.shows_as(after.public):
            return
        user_id = after.presence.user_id
        for room_id in self._of.get(user_id, ()):
            room = self._lists[room_id]
            (room.here.add if after.presence.is_shown else room.here.discard)(user_id)
            room.changed.add(user_id)
            self._tell_soon(room_id)

    async def _refresh(self, room: RoomList) -> None:
        """Read who is in the room, if that may have changed."""
        async with room.lock:
            if not room.stale:
                return
            room.stale = False
            try:
                members = set(await self._rooms.inside(room.room_id))
                came = members - room.members
                self._tracked.hold(came)
                try:
                    await self._tracked.look(self._tracked.unseen(came))
                except BaseException:
                    self._tracked.release(came)
                    raise
            except BaseException:
                room.stale = True
                raise
            if not room.followers:
                self._tracked.release(came)  # nobody follows it any more
                return
            is_new = not room.members  # nothing was told, so nothing is another than it was
            self._take_out(room, room.members - members)
            self._take_in(room, came)
            if is_new:
                room.changed.clear()

    def _take_in(self, room: RoomList, user_ids: set[UserId]) -> None:
        """Add members who are held already."""
        room.members |= user_ids
        for user_id in user_ids:
            self._of.setdefault(user_id, set()).add(room.room_id)
            if self._tracked.sighting(user_id).presence.is_shown:
                room.here.add(user_id)
                room.changed.add(user_id)

    def _take_out(self, room: RoomList, user_ids: set[UserId]) -> None:
        # Also of one who went offline a moment ago, which was not told yet and now never will.
        room.whole |= bool(user_ids & (room.here | room.changed))
        for user_id in list(user_ids):
            lists = self._of[user_id]
            lists.discard(room.room_id)
            if not lists:
                del self._of[user_id]
        self._tracked.release(list(user_ids))
        room.here -= user_ids
        room.changed -= user_ids
        room.members = room.members - user_ids

    # What is told

    def _tell_soon(self, room_id: RoomId) -> None:
        self._due[room_id] = None
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(BATCH_S, lambda: self._crew.start(self.tell_all()))

    async def tell_all(self) -> None:
        """Tell what there is to tell, before it is due."""
        if self._timer is not None:
            self._timer.cancel()
        due, self._due, self._timer = self._due, {}, None
        for room_id in due:
            room = self._lists.get(room_id)
            if room is None:
                continue
            try:
                await self._refresh(room)
            except StorageUnavailable:
                self._tell_soon(room_id)
                continue
            if self._lists.get(room_id) is room:
                for session in list(self._follows.followers(room_id)):
                    if session.user_id not in room.members:
                        self._see_out(session, room_id)
                event = room.told_to_all()
                if event is not None:
                    self._transport.broadcast(list_key(room_id), Notice.ROOM, event)

    def _see_out(self, session: Session, room_id: RoomId) -> None:
        """End it for a socket whose user is not in the room any more."""
        self._transport.send(session.sid, Notice.ROOM, {"room_id": room_id, "ended": True})
        self.unfollow(session, room_id)

    def _view(self, user_id: UserId) -> dict[str, Any]:
        return self._tracked.sighting(user_id).public.to_wire()
