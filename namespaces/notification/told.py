"""What notifications say of messages, and that they go on saying what the messages say."""

from collections.abc import Callable, Collection

from parley.namespaces.notification.content import MAX_BODY, MAX_TITLE
from parley.namespaces.notification.feeds import InboxFeeds
from parley.storage.base import MessageRepository, RoomRepository, UserRepository
from parley.storage.inbox import NotificationRepository
from parley.storage.models import JSON, Message, MessageId, MessageType, Room, Timestamp, UserId
from parley.storage.notifications import told_of

STEP = 500  # notifications that change in one transaction


class Told:
    """Keeps what was told of messages true, in whatever inbox it is.

    Any of these may run beside one another, on any node: each looks at the message again after it
    has written, so what is written last is what the message says.
    """

    def __init__(
        self,
        *,
        feeds: InboxFeeds,
        notifications: NotificationRepository,
        messages: MessageRepository,
        rooms: RoomRepository,
        users: UserRepository,
        now: Callable[[], Timestamp],
    ) -> None:
        self._feeds = feeds
        self._notifications = notifications
        self._messages = messages
        self._rooms = rooms
        self._users = users
        self._now = now

    async def content(self, room: Room, message: Message) -> JSON:
        """Return what is told of a message."""
        sender = (await self._users.names([message.sender])).get(message.sender, message.sender)
        is_private = message.type is MessageType.PRIVATE
        kind = message.content.get("message_type", "text")
        body = str(message.content.get("text") or message.content.get(kind) or "")
        return {
            "title": (sender if is_private else f"{sender} · {room.name}")[:MAX_TITLE],
            "body": body[:MAX_BODY],
            "data": {
                "reason": "private" if is_private else "mention",
                "room_id": room.id,
                "message_id": message.id,
                "seq": message.seq,
                "from": message.sender,
            },
        }

    async def correct(self, room: Room, message_id: MessageId, *, told: int | None = None) -> None:
        """Bring what was told up to date, or end it if the message is gone.

        Args:
            told: The ``rev`` of the message as it was told; None: an older one.

        Raises:
            StorageUnavailable: Some of it is not up to date; calling again is safe.
        """
        while (message := await self._messages.get(message_id)) is None or message.rev != told:
            if message is None or message.deleted:
                await self.retract(message_id)
                return
            await self._revise(room, message)
            told = message.rev

    async def retract(
        self, message_id: MessageId, *, among: Collection[UserId] | None = None
    ) -> None:
        """End what was told ``among`` some users; None: whoever was.

        Raises:
            StorageUnavailable: Some of it is still there; calling again is safe.
        """
        while ended := await self._notifications.retract(
            told_of(message_id), among=among, at=self._now(), limit=STEP
        ):
            self._feeds.announce_all(ended)

    async def _revise(self, room: Room, message: Message) -> None:
        """Have it say what the message says to whom may read it, and end it for the others.

        Who was sent away is told nothing that was written since; nor is what was taken back left
        with her.
        """
        holders = set(await self._notifications.holders(told_of(message.id)))
        if not holders:
            return
        readers = await self._readers(message)
        if outside := holders - readers:
            await self.retract(message.id, among=outside)
        content = await self.content(room, message)
        while revised := await self._notifications.revise(
            told_of(message.id),
            among=holders & readers,
            content=content,
            at=self._now(),
            limit=STEP,
        ):
            self._feeds.announce_all(revised)

    async def _readers(self, message: Message) -> set[UserId]:
        # Read after the edit was stored: who is not among them was not there for it.
        snapshot = await self._rooms.get(message.room_id)
        members = snapshot.members if snapshot is not None else ()
        return {
            member.user_id
            for member in members
            if member.is_member and member.visible_from_seq <= message.seq
        }
