"""What notifications say of messages, and that they go on saying what the messages say."""

from collections.abc import Callable

from parley.namespaces.notification.content import MAX_BODY, MAX_TITLE
from parley.namespaces.notification.feeds import InboxFeeds
from parley.storage.base import MessageRepository, NotificationRepository, UserRepository
from parley.storage.models import JSON, Message, MessageId, MessageType, Room, Timestamp
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
        users: UserRepository,
        now: Callable[[], Timestamp],
    ) -> None:
        self._feeds = feeds
        self._notifications = notifications
        self._messages = messages
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

    async def retract(self, message_id: MessageId) -> None:
        """End what was told.

        Raises:
            StorageUnavailable: Some of it is still there; calling again is safe.
        """
        while ended := await self._notifications.retract(
            told_of(message_id), at=self._now(), limit=STEP
        ):
            self._feeds.announce_all(ended)

    async def _revise(self, room: Room, message: Message) -> None:
        content = await self.content(room, message)
        while revised := await self._notifications.revise(
            told_of(message.id), content=content, at=self._now(), limit=STEP
        ):
            self._feeds.announce_all(revised)
