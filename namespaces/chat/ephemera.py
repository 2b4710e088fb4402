"""What is told and not kept: who types, who has read what, signals. At most once, members only."""

from collections.abc import Callable

from parley.namespaces.chat import access
from parley.namespaces.chat.channels import Channels
from parley.namespaces.chat.feed import RoomFeed
from parley.namespaces.chat.feeds import RoomFeeds
from parley.namespaces.chat.room_schemas import Signal
from parley.namespaces.chat.schemas import Typing
from parley.namespaces.chat.seams import Seams
from parley.namespaces.chat.wire import Notice
from parley.namespaces.errors import NotFound
from parley.namespaces.session import Session, user_room
from parley.namespaces.transport import Transport
from parley.storage.expiring import Bus
from parley.storage.ids import direct_room_id
from parley.storage.models import RoomId, Timestamp, UserId

TYPING_MS = 12_000  # how long a typing sign holds without another one


class Ephemera:
    """Tells the members of a room what is not worth a row."""

    def __init__(
        self,
        *,
        feeds: RoomFeeds,
        channels: Channels,
        bus: Bus,
        transport: Transport,
        seams: Seams,
        now: Callable[[], Timestamp],
    ) -> None:
        self._feeds = feeds
        self._channels = channels
        self._bus = bus
        self._transport = transport
        self._seams = seams
        self._now = now

    async def typing(self, user_id: UserId, request: Typing) -> None:
        """Tell the others that the user types, or has stopped.

        A direct room that has no message yet has nobody to tell.

        Raises:
            NotFound, Forbidden, Muted: See `access.check`.
        """
        await self._seams.limit(user_id, "typing")
        try:
            feed = await self._checked("typing", user_id, _room_of(user_id, request))
        except NotFound:
            if request.to is None:
                raise
            return
        notice = {"room_id": feed.room.id, "user_id": user_id, "typing": request.typing}
        self._channels.tell(
            feed.room.id,
            Notice.TYPING,
            {**notice, "expires_in_ms": TYPING_MS},
            skip=self._transport.sockets(user_room(user_id)),
            skip_user=user_id,
        )

    async def signal(self, session: Session, request: Signal) -> None:
        """Pass on an application's own data to the other sockets of the room.

        Raises:
            NotFound, Forbidden, Muted: See `access.check`.
        """
        await self._seams.limit(session.user_id, "signal")
        feed = await self._checked("signal", session.user_id, request.room_id)
        notice = {**request.to_wire(), "user_id": session.user_id}
        self._channels.tell(feed.room.id, Notice.SIGNAL, notice, skip=[session.sid])

    def read(
        self, user_id: UserId, room_id: RoomId, read_seq: int, *, session: Session | None = None
    ) -> None:
        """Tell the room, and the user's other sockets, how far she has read."""
        notice = {"room_id": room_id, "user_id": user_id, "read_seq": read_seq}
        skip = [session.sid] if session is not None else []
        self._channels.tell(room_id, Notice.READ, notice, skip=skip)

    async def _checked(self, event: str, user_id: UserId, room_id: RoomId) -> RoomFeed:
        feed = (await self._feeds.open(room_id, by=user_id)).feed
        if self._bus.deaf:
            # It is not heard here that she was sent away, or muted, until the next audit. While
            # the bus is heard a read for each sign would cost more than it is worth.
            await feed.catch_up()
        access.check(event, feed.room, feed.members, user_id, self._now())
        return feed


def _room_of(user_id: UserId, request: Typing) -> RoomId:
    if request.room_id is not None:
        return request.room_id
    # The schema has seen to it that one of both is there.
    return direct_room_id(user_id, request.to or user_id)
