"""What is said to people who are not there becomes a notification: mentions, private messages.

The chat calls `Alerts.note` for each message that is stored, `Alerts.revise` for each that is
edited or deleted, and waits for nothing. What storage does not take is tried again. What a crash
leaves between a message and its notification is made good at the next start of a node: what was
said and changed is gone through from a checkpoint on, and a notification's ``client_id`` is made
of its message's id, so it is there once however often its message is looked at. What was told of
a deleted room ends with its rows: `RoomRepository.sweep`.
"""

import logging
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from functools import partial
from typing import Any

from parley.namespaces.eager import Crew
from parley.namespaces.notification.delivery import Delivery
from parley.namespaces.notification.seams import Present
from parley.namespaces.notification.told import Told
from parley.storage.base import MessageRepository, RoomRepository
from parley.storage.errors import StorageUnavailable
from parley.storage.ids import new_id
from parley.storage.models import (
    JSON,
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
from parley.storage.notifications import NotificationDraft, NotificationId, told_of
from parley.storage.outgoing import MuteRepository, PublicationRepository

logger = logging.getLogger(__name__)

EVERYONE = "@room"  # among the mentions of an owner or admin: all who are in the room
STAFF = frozenset({Role.OWNER, Role.ADMIN})
CHECKPOINT = "chat"
MARGIN_S = 10  # a message is stored at most so long after its id was made
IDLE_S = 60  # until the checkpoint of a node on which nobody says anything follows the time
PAGE = 500  # messages, users in one step

Work = Callable[[], Coroutine[Any, Any, None]]


class Alerts:
    """Looks at every message of the chat."""

    def __init__(
        self,
        *,
        delivery: Delivery,
        told: Told,
        mutes: MuteRepository,
        publications: PublicationRepository,
        messages: MessageRepository,
        rooms: RoomRepository,
        present: Present,
        now: Callable[[], Timestamp],
    ) -> None:
        self._delivery = delivery
        self._told = told
        self._mutes = mutes
        self._publications = publications
        self._messages = messages
        self._rooms = rooms
        self._present = present
        self._now = now
        self._crew = Crew()
        self._pending: set[str] = set()  # ids made when what is not done yet began
        self._newest = ""  # the newest of them
        self._left: list[Work] = []  # storage was away
        self._kept = _before(MARGIN_S)  # the checkpoint as it is kept

    def note(self, room: Room, members: Mapping[UserId, Membership], message: Message) -> None:
        """Have a stored message told to whom it is for and who is not there.

        ``members`` goes on changing after this returns.
        """
        self._newest = max(self._newest, message.id)
        addressed = _addressed(members, message)
        if addressed:
            self._start(message.id, partial(self._tell, room, message, addressed))

    def revise(self, room: Room, message_id: MessageId) -> None:
        """Have what was told of a message say what it says now; end it if that is nothing."""
        # The change was made before it was stored, so it is older than this call.
        begun = new_id()
        began = _before(_second_of(begun)) + begun[8:]
        self._start(began, partial(self._told.correct, room, message_id))

    def try_again(self) -> None:
        """Begin anew what storage did not take."""
        left, self._left = self._left, []
        for work in left:
            self._crew.start(work())

    async def settled(self) -> None:
        """Wait until everything that was noted is through."""
        await self._crew.settled()

    # What is told

    def _start(self, began: str, work: Work) -> None:
        self._newest = max(self._newest, began)
        self._pending.add(began)
        self._crew.start(self._finish(began, work))

    async def _finish(self, began: str, work: Work) -> None:
        try:
            await work()
        except StorageUnavailable:
            # It stays pending, which holds the checkpoint back.
            logger.warning("what is told of a message is put right later")
            self._left.append(partial(self._finish, began, work))
            return
        except Exception:
            # Given up, or the checkpoint would wait for it for ever.
            logger.exception("what is told of a message failed")
        self._pending.discard(began)

    async def _tell(self, room: Room, message: Message, addressed: Sequence[UserId]) -> None:
        for start in range(0, len(addressed), PAGE):
            some = addressed[start : start + PAGE]
            present = await self._present(some)
            away = [user for user in some if user not in present]
            if not away:
                continue
            muting = await self._mutes.muting(room.id, away)
            content = await self._told.content(room, message)
            await self._delivery.deliver(
                [self._draft(message, user, content) for user in away if user not in muting]
            )
            # It may have changed before there was anything to correct.
            await self._told.correct(room, message.id, told=message.rev)

    def _draft(self, message: Message, user_id: UserId, content: JSON) -> NotificationDraft:
        return NotificationDraft(
            id=NotificationId(new_id()),
            user_id=user_id,
            client_id=told_of(message.id),
            content=content,
            created_at=self._now(),
        )

    # What a crash left

    async def resume(self) -> None:
        """Go through what was said and changed since the checkpoint.

        Who has read a message by now is told no more.

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
        await self._correct_since(Timestamp(_second_of(after) * 1000))
        rooms: dict[RoomId, RoomSnapshot | None] = {}
        while page := await self._messages.spoken(after=after, limit=PAGE):
            for message in page:
                if message.room_id not in rooms:
                    rooms[message.room_id] = await self._rooms.get(message.room_id)
                snapshot = rooms[message.room_id]
                if snapshot is not None and not message.deleted:
                    await self._tell_again(snapshot, message)
            after = page[-1].id
        await self._keep(max(kept, _before(_second_of(begun))))

    async def _correct_since(self, at: Timestamp) -> None:
        after = (at, "")
        while page := await self._messages.revised(after=after, limit=PAGE):
            for _, message in page:
                snapshot = await self._rooms.get(message.room_id)
                if snapshot is not None:
                    await self._told.correct(snapshot.room, message.id)
            changed_at, newest = page[-1]
            after = (changed_at, newest.id)

    async def _tell_again(self, snapshot: RoomSnapshot, message: Message) -> None:
        members = {m.user_id: m for m in snapshot.members if m.read_seq < message.seq}
        author = [m for m in snapshot.members if m.user_id == message.sender]
        addressed = _addressed({**members, **{m.user_id: m for m in author}}, message)
        try:
            await self._tell(snapshot.room, message, addressed)
        except StorageUnavailable:
            raise
        except Exception:
            # Given up, or no start would come past it.
            logger.exception("what is told of message %s failed", message.id)

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
