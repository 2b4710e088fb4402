"""Catching up: from any cursor to live, without a seam.

Rules of this file (docs/design.md, "From sync to live"):
- A socket is in a room either live or catching up, never both. `RoomFeed.detach` comes before
  the first read, `RoomFeed.enter` in the same step of the event loop in which the last page
  goes into the outbox; while that page was read the feed may have moved on, so it is read on
  from ``upto`` until it has not.
- ``upto``, not the head, is the client's next cursor: the last row examined.
- Access is looked up every time.
"""

import asyncio
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from parley.namespaces.chat.access import sees
from parley.namespaces.chat.feed import RoomFeed
from parley.namespaces.chat.feeds import OpenRoom, RoomFeeds
from parley.namespaces.chat.room_sync import Budget, RoomSync
from parley.namespaces.chat.wire import message_to_wire, room_of
from parley.namespaces.errors import Gone, NotFound
from parley.namespaces.session import Session
from parley.namespaces.wire import Cursor
from parley.storage.base import MemberRepository, MessageRepository
from parley.storage.errors import StorageUnavailable
from parley.storage.models import Membership, RoomId

PAGE_ROWS = 200
RESET_MESSAGES = 50  # the newest page that a reset brings
RESET_BEHIND = 10_000  # rows; catching up by changes would take longer than starting over
CHASES = 8  # times a last page is read on before the client is asked to come again

Cursors = Mapping[RoomId, str | None]
"""What a client has of each room; None: what its user has read."""


@dataclass(slots=True)
class SyncReply:
    """What to send, and the hand-over that belongs to it."""

    rooms: dict[RoomId, dict[str, Any]]
    _session: Session
    _steady: list[RoomSync]

    def hand_over(self) -> None:
        """Make the socket live; in the step in which the reply went into its outbox."""
        for part in self._steady:
            part.room.feed.enter(self._session)

    def unfinished(self) -> dict[RoomId, str]:
        """Return the cursors to go on from."""
        return {id: wire["upto"] for id, wire in self.rooms.items() if wire.get("more")}


class Synchronizer:
    """Puts together what a socket missed. At most one at a time per socket."""

    def __init__(
        self, *, feeds: RoomFeeds, messages: MessageRepository, members: MemberRepository
    ) -> None:
        self._feeds = feeds
        self._messages = messages
        self._members = members
        self._running: WeakKeyDictionary[Session, asyncio.Lock] = WeakKeyDictionary()

    async def read(
        self, session: Session, cursors: Cursors, *, but: Set[RoomId] = frozenset()
    ) -> SyncReply:
        """Return every change after each cursor, as far as one reply goes.

        The caller sends ``rooms`` and calls `SyncReply.hand_over`, both without awaiting
        anything after this returns.

        Args:
            but: Rooms to leave out, as of when this has its turn.

        Raises:
            StorageUnavailable: The rooms are not live until the next sync, and the client is
                told `room_behind` for each, in case it did not ask for a sync.
        """
        lock = self._running.setdefault(session, asyncio.Lock())
        async with lock:
            detached: list[RoomFeed] = []
            try:
                rooms = {id: cursor for id, cursor in cursors.items() if id not in but}
                return await self._read(session, rooms, detached)
            except Exception:
                for feed in detached:
                    feed.audience.tell_behind(session.sid, feed.head)
                raise

    def fell_behind(self, sid: str, room: str) -> bool:
        """Make a socket catch up that was not sent what came through a room, if it is a chat's."""
        room_id = room_of(room)
        if room_id is None:
            return False
        feed = self._feeds.running(room_id)
        if feed is not None:  # one that ended has told its sockets
            feed.audience.drop_out(sid, feed.head)
        return True

    async def _read(
        self, session: Session, cursors: Cursors, detached: list[RoomFeed]
    ) -> SyncReply:
        rooms: dict[RoomId, dict[str, Any]] = {}
        parts: dict[RoomId, RoomSync] = {}
        budget = Budget()
        for room_id, cursor in cursors.items():
            room = await self._detach(session, room_id)
            if isinstance(room, str):
                rooms[room_id] = {"state": room}
                continue
            detached.append(room.feed)
            parts[room_id] = await self._first(session, room, cursor, budget)
        await self._chase(parts, budget)
        # No await from here to the caller's hand_over.
        for room_id, part in parts.items():
            if part.room.feed.follows(session):
                # A feed that was dropped starts anew with her next request.
                part.more = part.more or part.room.feed.dropped
                rooms[room_id] = part.to_wire()
            else:
                # Removed while her pages were read, with her socket not in the room: nobody
                # tells her but this reply. With its hand-over a watch ends, too.
                part.more = False
                rooms[room_id] = {"state": _refusal(part.room)}
        return SyncReply(rooms, session, [p for p in parts.values() if not p.more])

    async def _detach(self, session: Session, room_id: RoomId) -> OpenRoom | str:
        """Take the socket out of the room, or say why it has nothing there."""
        try:
            room = await self._feeds.open(room_id, by=session.user_id)
        except (NotFound, Gone):
            return "gone"
        if not room.feed.follows(session):
            # Else her watch would go on when the room is open again: the row that closed it has
            # not found her, who was not detached yet.
            room.feed.audience.unwatch(session)
            return _refusal(room)
        room.feed.audience.detach(session)
        return room

    async def _first(
        self, session: Session, room: OpenRoom, cursor: str | None, budget: Budget
    ) -> RoomSync:
        """Read a room's first page."""
        part = await self._part(session, room, cursor)
        if part.upto.epoch == room.feed.room.epoch:
            # Another node may have shown her rows that were not announced here yet.
            await room.feed.reach(part.upto.rev)
        # A watcher without a cursor has no read mark to start at: the newest page it is.
        if _void(part) or (part.membership is None and cursor is None):
            await self._reset(part, budget)
        else:
            await self._read_on(part, budget)
        return part

    async def _part(self, session: Session, room: OpenRoom, cursor: str | None) -> RoomSync:
        """Return a room's part of the reply, with nothing read of its log yet."""
        room_id = room.feed.room.id
        # Before the page: what is purged meanwhile is below the next reply's floor.
        floor = await self._messages.oldest(room_id) if room.feed.room.log_floor else 0
        membership = room.feed.members.get(session.user_id)
        if membership is None or not membership.is_member:
            return RoomSync(room, None, floor, _start(room, None, cursor))
        # The feed's membership has no read mark: those are not rows of the log.
        membership = await self._members.get(room_id, session.user_id) or membership
        floor = max(floor, membership.visible_from_seq)
        return RoomSync(room, membership, floor, _start(room, membership, cursor))

    async def _read_on(self, part: RoomSync, budget: Budget) -> None:
        if budget.spent:
            part.more = True
            return
        # Read before the page: every row up to here is durable, so the page shows it.
        head = part.room.feed.head
        page = await self._messages.changes(
            part.room.feed.room.id, after=part.upto.rev, limit=PAGE_ROWS
        )
        if not page.dense:
            await self._reset(part, budget)  # damage: what is missing cannot be shown
            return
        if not page.more and page.last < head:
            raise StorageUnavailable("a read that is older than what was delivered")
        part.more = page.more
        last = page.last
        for message in page.messages:
            if not part.add(message, budget):
                part.more = True
                return
            part.upto = Cursor(part.upto.epoch, message.rev)
        part.upto = Cursor(part.upto.epoch, last)

    async def _reset(self, part: RoomSync, budget: Budget) -> None:
        """Start over with the newest messages; what changes after that is read on as usual."""
        head = Cursor(part.room.feed.room.epoch, part.room.feed.head)
        newest = await self._messages.history(
            part.room.feed.room.id,
            limit=RESET_MESSAGES,
            floor=part.floor_seq,
        )
        # Another node may have written: her right is looked at as of what she is shown.
        await part.room.feed.reach(max((message.rev for message in newest), default=0))
        fitting: list[dict[str, Any]] = []
        shown = [message for message in newest if sees(part.membership, message)]
        for message in reversed(shown):
            wire = message_to_wire(message)
            if not budget.take(wire):
                break
            fitting.append(wire)
        if shown and not fitting:
            part.more = True  # no space left: she asks again with the cursor she has
            return
        part.reset, part.upto = True, head
        part.events = {wire["id"]: wire for wire in reversed(fitting)}

    async def _chase(self, parts: Mapping[RoomId, RoomSync], budget: Budget) -> None:
        """Bring every last page and its feed to the same position, and count what is unread.

        Reading takes time, in which the feed goes on. So the last stretch is what the feed itself
        still has; else a page would never catch up with a room in which much is said.
        """
        for _ in range(CHASES):
            apart = [part for part in parts.values() if not part.meet(budget)]
            for part in apart:
                if part.upto.rev > part.room.feed.head:
                    # Another node wrote. Her membership must be known as of ``upto``: what
                    # the feed delivers up to there, her own removal too, she will ignore.
                    await part.room.feed.catch_up()
                else:
                    await self._read_on(part, budget)
            if apart:
                continue
            await self._count(parts.values())
            if all(part.meet(budget) for part in parts.values()):
                return
        # Counting takes time, too: so all of them are asked for again, not only those apart.
        for part in parts.values():
            part.more = True
        await self._count(parts.values())

    async def _count(self, parts: Iterable[RoomSync]) -> None:
        """Count what is unread at the end of each page.

        Exactly there: a message counted and then sent live would be counted twice by the client,
        one on the page that came after the count not at all.
        """
        for part in parts:
            if part.membership is not None:
                part.unread = await self._messages.unread(
                    part.room.feed.room.id,
                    part.membership.user_id,
                    after=part.membership.unread_after,
                    upto=None if part.more else part.upto.rev,
                )


def _refusal(room: OpenRoom) -> str:
    # That a room exists which is not listed is its members' business.
    return "gone" if room.feed.room.is_private else "denied"


def _start(room: OpenRoom, membership: Membership | None, cursor: str | None) -> Cursor:
    if cursor is not None:
        return Cursor.parse(cursor)
    return Cursor(room.feed.room.epoch, membership.read_seq if membership is not None else 0)


def _void(part: RoomSync) -> bool:
    """Whether a cursor says nothing about this log, or is too far from its end."""
    feed, cursor = part.room.feed, part.upto
    return (
        cursor.epoch != feed.room.epoch
        or cursor.rev > feed.head
        or cursor.rev < feed.room.log_floor
        or cursor.rev < (part.membership.joined_rev if part.membership is not None else 0)
        or feed.head - cursor.rev > RESET_BEHIND
    )
