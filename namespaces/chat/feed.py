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
import math
from collections import deque
from collections.abc import Sequence

from parley.namespaces.chat.announcements import Written
from parley.namespaces.chat.audience import Audience, Watched
from parley.namespaces.session import Session, Sessions
from parley.namespaces.transport import Transport
from parley.storage.base import MessageRepository
from parley.storage.fold import memberships_after, room_after, subject
from parley.storage.models import (
    WAITING,
    Membership,
    MemberState,
    Message,
    MessageId,
    MessageType,
    RoomSnapshot,
    UserId,
)

logger = logging.getLogger(__name__)

NOBODY = ("", -math.inf)  # no other node was heard to write
RECENT = 256  # rows that a feed keeps for those who catch up; reading takes a few milliseconds


class RoomFeed:
    """The rows of one room from `head` on, applied and delivered in order."""

    def __init__(
        self,
        snapshot: RoomSnapshot,
        *,
        messages: MessageRepository,
        transport: Transport,
        sessions: Sessions,
        watched: Watched,
    ) -> None:
        self.room = snapshot.room
        self.head = snapshot.head
        self.members: dict[UserId, Membership] = {m.user_id: m for m in snapshot.members}
        self.member_count = sum(m.is_member for m in snapshot.members)
        self.dropped = False  # the log is another one by now; nothing here is true any more
        self.audience = Audience(
            snapshot.room.id, self.members, transport=transport, sessions=sessions, watched=watched
        )

        self.writer = NOBODY  # the other node last heard to write, and when by the loop's clock
        # Asked of that node (`Relay`): positions, once they are shown here.
        self.expected: dict[MessageId, int | None] = {}

        self._messages = messages
        self._reading = asyncio.Lock()

        # Rows that were delivered while somebody caught up, all of those after the position.
        self._recent: deque[Message] = deque()
        self._recent_after = snapshot.head

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

    def hear(self, written: Written) -> None:
        """Deliver rows that another node tells of, under the cluster's seal, up to a gap."""
        before = self.head
        for row in written.rows:
            if not self.accept(row):
                break
        if self.head > before:
            self.writer = written.by, asyncio.get_running_loop().time()
            self._messages.heard(self.room.id, epoch=self.room.epoch, after=before, rev=self.head)

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

    async def reach(self, rev: int) -> None:
        """Catch up unless ``rev``, which storage has shown or somebody told of, is delivered.

        Raises:
            StorageUnavailable: See `catch_up`.
        """
        if rev > self.head:
            await self.catch_up()

    def drop(self) -> None:
        """Stop for good: the log was started anew or is damaged; clients sync and learn it."""
        self.dropped = True
        self.audience.scatter(self.head)

    def since(self, rev: int) -> Sequence[Message] | None:
        """Return every change after a position that this delivered, as it was delivered.

        None: that is not known any more; read it from storage.
        """
        if rev < self._recent_after:
            return None
        return [message for message in self._recent if message.rev > rev]

    # Members and sockets

    def is_member(self, user_id: UserId) -> bool:
        """Whether the user is in the room as of `head`."""
        membership = self.members.get(user_id)
        return membership is not None and membership.is_member

    def count(self, *states: MemberState) -> int:
        """Return how many stand with the room in one of these ways."""
        return sum(m.state in states for m in self.members.values())

    def follows(self, session: Session) -> bool:
        """Whether the socket may hear the room as of `head`.

        A watch outlives a feed that was dropped, so it is looked at each time.
        """
        membership = self.members.get(session.user_id)
        if membership is not None and membership.is_member:
            return True
        is_banned = membership is not None and membership.state is MemberState.BANNED
        return not self.room.is_private and not is_banned and self.audience.watches(session)

    def enter(self, session: Session) -> None:
        """Make a socket live: it has every row up to `head` in its outbox."""
        if not self.follows(session):
            self.audience.unwatch(session)
        if not self.dropped:
            self.audience.enter(session)

    def put_back(self, session: Session, *, watched: bool) -> None:
        """End a catch-up without a hand-over.

        Who ``watched`` before goes on if she still may; by a sync she learns what she missed,
        perhaps that the room is not open to her any more.
        """
        self.enter(session)
        if watched:
            self.audience.tell_behind(session.sid, self.head)

    def welcome(self, user_id: UserId) -> None:
        """Bring in a user's sockets that no row brought in: she joined before this feed ran."""
        if self.is_member(user_id):
            self.audience.bring_in(user_id, behind=self.head)

    # Delivery

    def _deliver(self, message: Message) -> None:
        """Apply and emit the row at ``message.rev``; every earlier one is delivered."""
        prev, self.head = self.head, message.rev
        if message.id in self.expected:
            self.expected[message.id] = message.seq
        self._remember(message)
        try:
            self._show(message, prev)
        except BaseException:
            # Applied in part: nothing here is certain any more, so start over from storage.
            self.drop()
            raise

    def _remember(self, message: Message) -> None:
        if not self.audience.is_catching_up:
            self._recent.clear()
            self._recent_after = message.rev
            return
        self._recent.append(message)
        if len(self._recent) > RECENT:
            self._recent_after = self._recent.popleft().rev

    def _show(self, message: Message, prev: int) -> None:
        fresh = message.is_control and message.rev == message.seq
        if not fresh:
            self.audience.show(message, prev)
            return
        was_private = self.room.is_private
        self._apply(message)
        self.audience.show(message, prev)
        user_id = subject(message)
        if user_id is not None:
            self._move(user_id, message)
        if self.room.is_private and not was_private:
            self.audience.close_to_watchers()

    def _apply(self, message: Message) -> None:
        self.room = room_after(self.room, message)
        # All of them before the first is kept: each follows from what was.
        for user_id, after in list(memberships_after(self.room, self.members.get, message)):
            self.member_count -= self.is_member(user_id)
            if after is None:
                self.members.pop(user_id, None)
                continue
            self.members[user_id] = after
            self.audience.note(after)
            if after.is_member:
                self.member_count += 1
                self.audience.bring_in(user_id)

    def _move(self, user_id: UserId, message: Message) -> None:
        """See out who has left by the row; tell who was never inside what it says of her."""
        membership = self.members.get(user_id)
        if message.type is MessageType.LEAVE_ROOM:
            if message.content.get("was") in WAITING:
                self.audience.tell(user_id, message)
            if membership is not None or "was" not in message.content:
                # She got her own leave_room, and nothing after it.
                self.audience.see_out(user_id)
        elif membership is not None and membership.state is MemberState.PENDING:
            self.audience.tell_staff(user_id)
