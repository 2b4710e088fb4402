"""One room as this node sees it: every row of its log, once, in order, to local sockets.

Rules of this file (docs/design.md, "Delivering"):
- `RoomFeed.head` is the position up to which rows are applied *and* delivered. It is also the
  node's write head: the next row is authorised by exactly the members known here.
- Rows are delivered strictly in order. What is missing is read from storage, never skipped: rows
  are dense, so a gap is a row somebody else wrote and this node did not hear of.
- An announcement or an acknowledged write only ever says "there is more"; nothing but a row
  moves `head`.
"""

import asyncio
import logging
from weakref import WeakSet

from parley.namespaces.chat.wire import Notice, message_to_wire, room_key
from parley.namespaces.session import Session, Sessions, user_room
from parley.namespaces.transport import Transport
from parley.storage.base import MessageRepository
from parley.storage.fold import memberships_after, room_after, subject
from parley.storage.models import (
    Membership,
    MemberState,
    Message,
    MessageType,
    RoomSnapshot,
    UserId,
)

logger = logging.getLogger(__name__)


class RoomFeed:
    """The rows of one room from `head` on, applied and delivered in order."""

    def __init__(
        self,
        snapshot: RoomSnapshot,
        *,
        messages: MessageRepository,
        transport: Transport,
        sessions: Sessions,
    ) -> None:
        self.room = snapshot.room
        self.head = snapshot.head
        self.members: dict[UserId, Membership] = {m.user_id: m for m in snapshot.members}
        self.dropped = False  # the log is another one by now; nothing here is true any more

        # Whose catch-up of this room is under way: not in the Socket.IO room. Weak: a client
        # that leaves in the middle is forgotten with its session.
        self._catching_up: WeakSet[Session] = WeakSet()

        self._messages = messages
        self._transport = transport
        self._sessions = sessions
        self._key = room_key(snapshot.room.id)
        self._reading = asyncio.Lock()
        self._visible_from = self._latest_visibility()

    # Rows in

    def accept(self, message: Message) -> bool:
        """Deliver the state as of row ``message.rev`` if it is the next; False at a gap.

        A row that was delivered before is dropped and counts as accepted.
        """
        if message.rev > self.head + 1:
            return False
        if message.rev == self.head + 1 and not self.dropped:
            self._deliver(message)
        return True

    async def catch_up(self) -> None:
        """Read every row after `head` and deliver it.

        Raises:
            StorageUnavailable: Nothing was delivered; calling again is safe.
        """
        async with self._reading:
            page = await self._messages.changes(self.room.id, after=self.head)
            # No await below. `accept` may have moved the head while we read; a message whose
            # row it delivered is passed over, a later row of that message is not.
            if not page.dense:
                logger.error("room %s: a row is missing after %d", self.room.id, self.head)
                self.drop()
                return
            for message in page.messages:
                if message.rev > self.head and not self.dropped:
                    self._deliver(message)
            self.head = max(self.head, page.last)

    def drop(self) -> None:
        """Stop for good: the log was started anew or is damaged; clients sync and learn it."""
        self.dropped = True
        for sid in self._transport.sockets(self._key):
            self._transport.leave(sid, self._key)
            self._behind(sid)

    # Sockets

    def detach(self, session: Session) -> None:
        """Take a socket out of the room until its catch-up is done (`enter`)."""
        self._catching_up.add(session)
        self._transport.leave(session.sid, self._key)

    def release(self, session: Session) -> None:
        """Forget a catch-up that ended without entering the room."""
        self._catching_up.discard(session)

    def enter(self, session: Session) -> None:
        """Make a socket live: it has every row up to `head` in its outbox."""
        self._catching_up.discard(session)
        # It may have left, or lost its membership, while its last page was read.
        if not session.closed and self.is_member(session.user_id) and not self.dropped:
            self._transport.enter(session.sid, self._key)

    def welcome(self, user_id: UserId) -> None:
        """Bring in a user's sockets that no row brought in: she joined before this feed ran.

        They are told to sync, which takes them out again until its hand-over; until that
        begins, a client ignores what is live. One that knows nothing of cursors hears the room
        from here on all the same.
        """
        inside = self._transport.sockets(self._key)
        for sid in self._transport.sockets(user_room(user_id)):
            if self.is_member(user_id) and sid not in inside and not self._is_catching_up(sid):
                self._behind(sid)
                self._transport.enter(sid, self._key)

    def is_member(self, user_id: UserId) -> bool:
        """Whether the user is in the room as of `head`."""
        membership = self.members.get(user_id)
        return membership is not None and membership.state is MemberState.MEMBER

    @property
    def idle(self) -> bool:
        """Whether no local socket needs this feed."""
        return not self._catching_up and not self._transport.sockets(self._key)

    # Delivery

    def _deliver(self, message: Message) -> None:
        """Apply and emit the row at ``message.rev``; every earlier one is delivered."""
        prev, self.head = self.head, message.rev
        try:
            self._show(message, prev)
        except BaseException:
            # Applied in part: nothing here is certain any more, so start over from storage.
            self.drop()
            raise

    def _show(self, message: Message, prev: int) -> None:
        fresh = message.is_control and message.rev == message.seq
        if fresh:
            self._apply(message)
        self._emit(message, prev)
        user_id = subject(message) if fresh else None
        if message.type is MessageType.LEAVE_ROOM and user_id is not None:
            # She gets her own leave_room, and nothing after it.
            for sid in self._transport.sockets(user_room(user_id)):
                self._transport.leave(sid, self._key)

    def _apply(self, message: Message) -> None:
        self.room = room_after(self.room, message)
        # All of them before the first is kept: each follows from what was.
        for user_id, after in list(memberships_after(self.room, self.members.get, message)):
            if after is None:
                del self.members[user_id]
            else:
                self.members[user_id] = after
                self._bring_in(user_id)
        self._visible_from = self._latest_visibility()

    def _bring_in(self, user_id: UserId) -> None:
        for sid in self._transport.sockets(user_room(user_id)):
            if self.is_member(user_id) and not self._is_catching_up(sid):
                self._transport.enter(sid, self._key)

    def _emit(self, message: Message, prev: int) -> None:
        wire = message_to_wire(message)
        if prev != message.rev - 1:
            wire["prev"] = prev
        if message.seq >= self._visible_from:
            self._transport.broadcast(self._key, message.type, wire)
            return
        # An old message changed: those it is hidden from learn the position and no more.
        skip = {k: wire[k] for k in ("room_id", "rev", "prev") if k in wire}
        for sid in self._transport.sockets(self._key):
            if message.seq >= self._visible_to(sid):
                self._transport.send(sid, message.type, wire)
            else:
                self._transport.send(sid, Notice.SKIP, skip)

    def _visible_to(self, sid: str) -> int:
        session = self._sessions.get(sid)
        membership = self.members.get(session.user_id) if session is not None else None
        # Who is in the room without a membership sees nothing that is older than now.
        return membership.visible_from_seq if membership is not None else self.head

    def _is_catching_up(self, sid: str) -> bool:
        return self._sessions.get(sid) in self._catching_up

    def _behind(self, sid: str) -> None:
        notice = {"room_id": self.room.id, "head": self.head}
        self._transport.send(sid, Notice.ROOM_BEHIND, notice)

    def _latest_visibility(self) -> int:
        return max((m.visible_from_seq for m in self.members.values()), default=0)
