"""What is said to people who are not there becomes a notification: mentions, private messages.

The chat calls `Alerts.note` for each message that is stored, and waits for nothing. What a crash
leaves between a message and its notification is made good at the next start of a node: messages
are gone through from a checkpoint on, and a notification's ``client_id`` is made of its message's
id, so it is there once however often its message is looked at.
"""

import logging
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from functools import partial
from typing import Any

from parley.namespaces.eager import Crew
from parley.namespaces.notification.content import MAX_BODY, MAX_TITLE
from parley.namespaces.notification.delivery import Delivery
from parley.namespaces.notification.feeds import InboxFeeds
from parley.namespaces.notification.seams import Present
from parley.storage.base import (
    MessageRepository,
    NotificationRepository,
    RoomRepository,
    UserRepository,
)
from parley.storage.errors import StorageUnavailable
from parley.storage.ids import new_id
from parley.storage.models import (
    ClientId,
    Membership,
    Message,
    MessageId,
    MessageType,
    Role,
    Room,
    RoomId,
    RoomSnapshot,
    Timestamp,
    UserId,
)
from parley.storage.notifications import NotificationDraft, NotificationId
from parley.storage.outgoing import MuteRepository, PublicationRepository

logger = logging.getLogger(__name__)

EVERYONE = "@room"  # among the mentions of an owner or admin: all who are in the room
STAFF = frozenset({Role.OWNER, Role.ADMIN})
CHECKPOINT = "chat"
MARGIN_S = 10  # a message is stored at most so long after its id was made
IDLE_S = 60  # until the checkpoint of a node on which nobody says anything follows the time
PAGE = 500  # messages, users, notifications in one step


class Alerts:
    """Looks at every message of the chat."""

    def __init__(
        self,
        *,
        delivery: Delivery,
        feeds: InboxFeeds,
        notifications: NotificationRepository,
        mutes: MuteRepository,
        publications: PublicationRepository,
        messages: MessageRepository,
        rooms: RoomRepository,
        users: UserRepository,
        present: Present,
        now: Callable[[], Timestamp],
    ) -> None:
        self._delivery = delivery
        self._feeds = feeds
        self._notifications = notifications
        self._mutes = mutes
        self._publications = publications
        self._messages = messages
        self._rooms = rooms
        self._users = users
        self._present = present
        self._now = now
        self._crew = Crew()
        self._pending: set[MessageId] = set()
        self._left: list[Callable[[], Coroutine[Any, Any, None]]] = []  # storage was away
        self._newest = ""  # id of the newest message that was noted
        self._kept = _before(MARGIN_S)  # the checkpoint as it is kept

    def note(self, room: Room, members: Mapping[UserId, Membership], message: Message) -> None:
        """Have a stored message told to whom it is for and who is not there.

        ``members`` goes on changing after this returns.
        """
        self._newest = max(self._newest, message.id)
        addressed = _addressed(members, message)
        if addressed:
            self._pending.add(message.id)
            self._crew.start(self._alert(room, message, addressed))

    def forget(self, message_id: MessageId) -> None:
        """Take back what was told of a message that is deleted."""
        self._crew.start(self._retract(message_id))

    def try_again(self) -> None:
        """Begin anew what storage did not take."""
        left, self._left = self._left, []
        for work in left:
            self._crew.start(work())

    async def settled(self) -> None:
        """Wait until everything that was noted is through."""
        await self._crew.settled()

    # What is told

    async def _alert(self, room: Room, message: Message, addressed: Sequence[UserId]) -> None:
        try:
            await self._tell(room, message, addressed)
        except StorageUnavailable:
            # It stays pending, which holds the checkpoint back.
            logger.warning("message %s is told of later", message.id)
            self._left.append(partial(self._alert, room, message, addressed))
            return
        self._pending.discard(message.id)

    async def _tell(self, room: Room, message: Message, addressed: Sequence[UserId]) -> None:
        for start in range(0, len(addressed), PAGE):
            some = addressed[start : start + PAGE]
            present = await self._present(some)
            away = [user for user in some if user not in present]
            if not away:
                continue
            muting = await self._mutes.muting(room.id, away)
            content = await self._content(room, message)
            await self._delivery.deliver(
                [self._draft(message, user, content) for user in away if user not in muting]
            )

    def _draft(
        self, message: Message, user_id: UserId, content: Mapping[str, object]
    ) -> NotificationDraft:
        return NotificationDraft(
            id=NotificationId(new_id()),
            user_id=user_id,
            client_id=_client_id(message.id),
            content=content,
            created_at=self._now(),
        )

    async def _content(self, room: Room, message: Message) -> dict[str, object]:
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

    async def _retract(self, message_id: MessageId) -> None:
        try:
            while ended := await self._notifications.retract(
                _client_id(message_id), at=self._now(), limit=PAGE
            ):
                for user_id, head in ended.items():
                    self._feeds.announce(user_id, head)
        except StorageUnavailable:
            logger.warning("what was told of message %s is taken back later", message_id)
            self._left.append(partial(self._retract, message_id))

    # What a crash left

    async def resume(self) -> None:
        """Go through messages since the checkpoint; who has read one by now is told no more.

        Raises:
            StorageUnavailable: Call again.
        """
        begun = new_id()
        after = await self._publications.checkpoint(CHECKPOINT)
        if after is None:
            # The first start with notifications: what was said before is not told of.
            await self._keep(begun)
            return
        kept = after
        rooms: dict[RoomId, RoomSnapshot | None] = {}
        while page := await self._messages.spoken(after=after, limit=PAGE):
            for message in page:
                if message.room_id not in rooms:
                    rooms[message.room_id] = await self._rooms.get(message.room_id)
                await self._look_again(rooms[message.room_id], message)
            after = page[-1].id
        await self._keep(max(kept, _before(_second_of(begun))))

    async def _look_again(self, snapshot: RoomSnapshot | None, message: Message) -> None:
        if message.deleted:
            # It may have been told of before, and deleted right before the crash.
            await self._retract(message.id)
            return
        if snapshot is None:
            return
        members = {m.user_id: m for m in snapshot.members if m.read_seq < message.seq}
        author = [m for m in snapshot.members if m.user_id == message.sender]
        addressed = _addressed({**members, **{m.user_id: m for m in author}}, message)
        await self._tell(snapshot.room, message, addressed)

    async def keep_checkpoint(self) -> None:
        """Keep up to where every message was told, if that has moved.

        Also now and then where nothing was said: the next start would look at what was said on
        other nodes since.
        """
        now = self._now() // 1000
        is_recent = now - _second_of(self._kept) < IDLE_S
        if self._kept > self._newest and not self._pending and is_recent:
            return
        ids = [_before(now), *(m[:8] for m in self._pending)]
        if min(ids) > self._kept:
            await self._keep(min(ids))

    async def close(self) -> None:
        """Wait for what runs, and note that nothing is left for the next start.

        Raises:
            StorageUnavailable: The next start looks at the newest messages again.
        """
        self.try_again()
        await self._crew.settled()
        if not self._pending:
            await self._keep(new_id())

    async def _keep(self, position: str) -> None:
        await self._publications.keep_checkpoint(CHECKPOINT, position)
        self._kept = position


def _addressed(members: Mapping[UserId, Membership], message: Message) -> Sequence[UserId]:
    """Return whom a message is for by name, its author left out."""
    if message.type is MessageType.PRIVATE:
        mentioned: Collection[str] = (message.to,) if message.to is not None else ()
    else:
        mentioned = message.content.get("mentions") or ()
    if not mentioned:
        return ()
    author = members.get(message.sender)
    if EVERYONE in mentioned and author is not None and author.role in STAFF:
        mentioned = members.keys()
    found = (members.get(UserId(user)) for user in set(mentioned) if user != message.sender)
    return sorted(member.user_id for member in found if member is not None and member.is_member)


def _second_of(message_id: str) -> int:
    return int(message_id[:8], 16)


def _before(second: int) -> str:
    """Return what is below the id of any message that is stored from then on."""
    return f"{second - MARGIN_S:08x}"


def _client_id(message_id: MessageId) -> ClientId:
    return ClientId(f"msg:{message_id}")
