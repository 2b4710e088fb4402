"""What nodes tell one another about rooms, each on the room's own channel of the bus."""

from collections.abc import Collection, Sequence
from typing import Any

from parley.namespaces.chat import announcements
from parley.namespaces.chat.announcements import Announcements, Ephemeral
from parley.namespaces.chat.feed import RoomFeed
from parley.namespaces.chat.wire import Notice, room_key
from parley.namespaces.seal import Seal
from parley.namespaces.session import user_room
from parley.namespaces.transport import Transport
from parley.storage.expiring import Bus, Listener, Subscription
from parley.storage.models import Message, RoomId, UserId


class Channels:
    """The channels of all rooms, as one node uses them."""

    def __init__(
        self, *, bus: Bus, transport: Transport, seal: Seal | None, server_id: str
    ) -> None:
        """Tell other nodes of rows under ``seal``; None: there are no other nodes."""
        self.alone = seal is None
        self._bus = bus
        self._transport = transport
        self._announcements = Announcements(seal, server_id=server_id)

    async def subscribe(self, room_id: RoomId, listener: Listener) -> Subscription:
        """Call ``listener`` for what is said of a room from now on; see `Bus.subscribe`."""
        return await self._bus.subscribe(_channel(room_id), listener)

    # Telling

    def announce(self, feed: RoomFeed, rev: int, rows: Sequence[Message]) -> None:
        """Tell other nodes that ``rows`` exist, which end at ``rev``; none: that there are some."""
        self._bus.publish(_channel(feed.room.id), self._announcements.of(feed.room, rev, rows))

    def renewed(self, room_id: RoomId, epoch: str) -> None:
        """Tell other nodes that a room's log was started anew."""
        self._bus.publish(_channel(room_id), f"{epoch}.0".encode())

    def tell(
        self,
        room_id: RoomId,
        event: Notice,
        data: dict[str, Any],
        *,
        skip: Collection[str] = (),
        skip_user: UserId | None = None,
    ) -> None:
        """Tell everybody in a room, on every node, something that may be lost.

        Args:
            skip: Sockets of this node that do not get it.
            skip_user: Whose sockets on other nodes do not get it.
        """
        self._transport.broadcast(room_key(room_id), event, data, skip=skip, ephemeral=True)
        if not self.alone:  # or this node would only tell itself, and pass it over
            said = self._announcements.ephemeral(event, data, skip=skip_user)
            self._bus.publish(_channel(room_id), said)

    # Hearing

    async def hear(self, feed: RoomFeed, payload: bytes) -> bool:
        """Do what was told on a feed's channel; False: it was of another log of the room.

        Raises:
            StorageUnavailable: What it told of could not be read.
        """
        told = announcements.read(payload)
        if isinstance(told, Ephemeral):
            self._pass_on(feed, told)
        elif told is not None and told.epoch != feed.room.epoch:
            return False
        elif told is not None and told.rev > feed.head:
            written = self._announcements.rows_in(feed.room, told)
            if written is not None:
                feed.hear(written)
            await feed.reach(told.rev)
        return True

    def _pass_on(self, feed: RoomFeed, told: Ephemeral) -> None:
        if told.origin == self._announcements.origin:
            return
        # Her node may not have heard yet that she is out of the room.
        if not feed.is_member(told.user_id):
            return
        own = () if told.skip is None else self._transport.sockets(user_room(told.skip))
        self._transport.broadcast(
            room_key(feed.room.id), told.event, told.data, skip=own, ephemeral=True
        )


def _channel(room_id: RoomId) -> str:
    return f"room:{room_id}"
