"""The rooms this node follows, and what it hears about them."""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from parley.namespaces.chat.audience import Watched
from parley.namespaces.chat.channels import Channels
from parley.namespaces.chat.feed import RoomFeed
from parley.namespaces.chat.lane import Lane
from parley.namespaces.chat.relay import Relay
from parley.namespaces.chat.seams import Notify
from parley.namespaces.chat.write_queue import Check
from parley.namespaces.errors import Gone, NotFound
from parley.namespaces.session import Sessions
from parley.namespaces.transport import Transport
from parley.storage.base import MessageRepository, RoomRepository
from parley.storage.expiring import Subscription
from parley.storage.models import (
    SPOKEN,
    Draft,
    Head,
    Message,
    Outcome,
    RoomId,
    RoomSnapshot,
    UserId,
)

IDLE_ROOMS = 1_000  # feeds that the only node keeps though no socket needs them
IDLE_S = 60.0  # unused for so long before one is closed: no request takes that long


@dataclass(slots=True)
class OpenRoom:
    """A room this node follows. Use it soon after opening it, or with a socket detached."""

    feed: RoomFeed
    lane: Lane
    subscription: Subscription
    used_at: float  # of the event loop's clock

    def append(self, draft: Draft, check: Check, *, here: bool = False) -> asyncio.Future[Outcome]:
        """See `Lane.append`."""
        return self.lane.append(draft, check, here=here)


class RoomFeeds:
    """Starts a room's feed when it is needed and keeps it true while it runs."""

    def __init__(
        self,
        *,
        rooms: RoomRepository,
        messages: MessageRepository,
        channels: Channels,
        transport: Transport,
        sessions: Sessions,
        watched: Watched,
        notify: Notify,
        relay: Relay | None = None,
    ) -> None:
        """Follow rooms; ``relay`` is for a node among others."""
        self._rooms = rooms
        self._messages = messages
        self._channels = channels
        self._notify = notify
        self._relay = relay
        self._transport = transport
        self._sessions = sessions
        self._watched = watched
        self._open: OrderedDict[RoomId, OpenRoom] = OrderedDict()
        self._starting: dict[RoomId, asyncio.Task[OpenRoom]] = {}

    async def open(self, room_id: RoomId, *, by: UserId | None = None) -> OpenRoom:
        """Return the running feed of a room.

        Args:
            by: Who is not to be refused for what this node has not heard yet: if she is no
                member as of the feed's head, it is caught up before it is returned.

        Raises:
            NotFound: There is no such room.
            Gone: It was deleted.
            StorageUnavailable: It could not be read.
        """
        while True:
            room = await self._running(room_id)
            if by is None or room.feed.is_member(by):
                return room
            # Another node may have acknowledged a moment ago that she is.
            await room.feed.catch_up()
            if self._open.get(room_id) is room and not room.feed.dropped:
                return room

    async def _running(self, room_id: RoomId) -> OpenRoom:
        while True:
            room = self._open.get(room_id)
            if room is not None and not room.feed.dropped:
                room.used_at = asyncio.get_running_loop().time()
                self._open.move_to_end(room_id)
                return room
            if room is not None:
                # Somebody else may start it anew while this waits, so look again.
                await self._drop(room_id)
                continue
            begun = self._starting.get(room_id)
            try:
                # Others may wait for the same start, so one that gives up does not cancel it.
                return await asyncio.shield(begun or self._begin(room_id))
            except NotFound:
                if begun is None:
                    raise
                # It looked before this was asked; meanwhile the room may have been made.

    def _begin(self, room_id: RoomId) -> "asyncio.Task[OpenRoom]":
        starting = asyncio.create_task(self._start(room_id))
        self._starting[room_id] = starting
        # Whoever waited may be gone: then nobody asks how it ended.
        starting.add_done_callback(lambda task: task.cancelled() or task.exception())
        return starting

    def running(self, room_id: RoomId) -> RoomFeed | None:
        """Return the feed of a room if it runs."""
        room = self.following(room_id)
        return room.feed if room is not None else None

    def following(self, room_id: RoomId) -> OpenRoom | None:
        """Return a room if this node follows it."""
        return self._open.get(room_id)

    async def renew(self, room_id: RoomId, epoch: str) -> None:
        """Give up a room whose log was started anew; clients sync and learn what it is now."""
        self._channels.renewed(room_id, epoch)
        await self._drop(room_id)

    async def audit(self) -> None:
        """Compare heads and floors with storage, and repair what no announcement told.

        Raises:
            StorageUnavailable: Nothing is wrong by that; call again.
        """
        heads = await self._rooms.heads(list(self._open))
        for room_id, head in heads.items():
            room = self._open.get(room_id)
            if room is not None:
                await self._compare(room.feed, head)

    async def settled(self) -> None:
        """Wait until every write that was queued is through."""
        for room in list(self._open.values()):
            await room.lane.settled()

    async def _start(self, room_id: RoomId) -> OpenRoom:
        heard: list[bytes] = []

        async def listener(payload: bytes) -> None:
            room = self._open.get(room_id)
            if room is None:
                heard.append(payload)
            elif not await self._channels.hear(room.feed, payload):
                # Storage says whether there is another log; anybody could say it here.
                for head in (await self._rooms.heads([room_id])).values():
                    await self._compare(room.feed, head)

        # Subscribe first: a row announced while the room is read shows in `heard`.
        subscription = await self._channels.subscribe(room_id, listener)
        try:
            snapshot = await self._rooms.get(room_id)
            if snapshot is None:
                raise NotFound("no such room", room_id=room_id)
            if snapshot.room.deleted:
                raise Gone("the room was deleted", room_id=room_id)
            room = self._assemble(snapshot, subscription)
            while heard:
                heard.clear()
                await room.feed.catch_up()
        except BaseException:
            await subscription.cancel()
            raise
        finally:
            del self._starting[room_id]
        self._open[room_id] = room
        return room

    def _assemble(self, snapshot: RoomSnapshot, subscription: Subscription) -> OpenRoom:
        feed = RoomFeed(
            snapshot,
            messages=self._messages,
            transport=self._transport,
            sessions=self._sessions,
            watched=self._watched,
        )
        lane = Lane(feed, messages=self._messages, stored=self._stored, relay=self._relay)
        return OpenRoom(feed, lane, subscription, asyncio.get_running_loop().time())

    def _stored(self, feed: RoomFeed, rev: int, rows: Sequence[Message]) -> None:
        """Tell of ``rows`` that this node has stored, which end at ``rev``."""
        self._channels.announce(feed, rev, rows)
        # New messages only: an edit has a rev behind its seq.
        for row in rows:
            if row.type in SPOKEN and row.rev == row.seq:
                self._notify(feed.room, feed.members, row)

    async def close_idle(self) -> None:
        """Close what no local socket needs any more, the longest unused first.

        Never one that was just opened: its caller has not used it yet, and would go on with a
        feed that hears nothing, beside the one that the next caller opens.
        """
        long_ago = asyncio.get_running_loop().time() - IDLE_S
        idle = [
            room_id
            for room_id, room in self._open.items()
            if room.used_at < long_ago and room.feed.audience.is_empty and room.lane.idle
        ]
        # What a node follows it also hears, so that among others none is kept for later.
        kept = IDLE_ROOMS if self._channels.alone else 0
        # All of them before anything is waited for: meanwhile one might be opened, or dropped.
        closed = [self._open.pop(room_id) for room_id in idle[: max(0, len(idle) - kept)]]
        for room in closed:
            await room.subscription.cancel()

    async def _compare(self, feed: RoomFeed, head: Head) -> None:
        """Repair a feed by what storage says of its log."""
        room = feed.room
        if head.epoch != room.epoch:
            await self._drop(room.id)
            return
        if head.log_floor > room.log_floor:  # it never goes back: a lower one was read earlier
            feed.room = replace(room, log_floor=head.log_floor)
        if head.rev > feed.head:
            await feed.catch_up()
        elif head.rev < feed.head and await self._went_back(feed):
            await self._drop(room.id)

    async def _went_back(self, feed: RoomFeed) -> bool:
        """Whether storage lost rows this node delivered; one stale read does not prove it."""
        delivered = feed.head
        heads = await self._rooms.heads([feed.room.id])
        return feed.room.id in heads and heads[feed.room.id].rev < delivered

    async def _drop(self, room_id: RoomId) -> None:
        room = self._open.pop(room_id, None)
        if room is not None:
            room.feed.drop()
            await room.subscription.cancel()
