"""The rooms this node follows, and what it hears about them."""

import asyncio
import contextlib
import logging
from collections import OrderedDict
from dataclasses import dataclass
from functools import partial

from parley.namespaces.chat.feed import RoomFeed
from parley.namespaces.chat.lane import Check, Lane
from parley.namespaces.errors import NotFound
from parley.namespaces.session import Sessions, user_room
from parley.namespaces.transport import Transport
from parley.storage.base import (
    Bus,
    MemberRepository,
    MessageRepository,
    RoomRepository,
    Subscription,
)
from parley.storage.errors import StorageUnavailable
from parley.storage.models import Draft, Outcome, RoomId, RoomSnapshot, UserId

logger = logging.getLogger(__name__)

IDLE_ROOMS = 1_000  # feeds kept though no local socket needs them
IDLE_S = 60.0  # unused for so long before one is closed: no request takes that long
AUDIT_S = 2.0  # between two comparisons of heads with storage


@dataclass(slots=True)
class OpenRoom:
    """A room this node follows. Use it soon after opening it, or with a socket detached."""

    feed: RoomFeed
    lane: Lane
    subscription: Subscription
    used_at: float  # of the event loop's clock

    def append(self, draft: Draft, check: Check) -> asyncio.Future[Outcome]:
        """See `Lane.append`."""
        return self.lane.append(draft, check)


@dataclass(slots=True)
class _Followed:
    """A user with a socket here."""

    subscription: Subscription
    revision: int  # of her memberships, when they were last looked at


class RoomFeeds:
    """Starts a room's feed when it is needed and keeps it true while it runs."""

    def __init__(
        self,
        *,
        rooms: RoomRepository,
        members: MemberRepository,
        messages: MessageRepository,
        bus: Bus,
        transport: Transport,
        sessions: Sessions,
    ) -> None:
        self._rooms = rooms
        self._members = members
        self._messages = messages
        self._bus = bus
        self._transport = transport
        self._sessions = sessions
        self._open: OrderedDict[RoomId, OpenRoom] = OrderedDict()
        self._starting: dict[RoomId, asyncio.Task[OpenRoom]] = {}
        self._users: dict[UserId, asyncio.Task[_Followed]] = {}

    async def open(self, room_id: RoomId) -> OpenRoom:
        """Return the running feed of a room.

        Raises:
            NotFound: There is no such room.
            StorageUnavailable: It could not be read.
        """
        room = self._open.get(room_id)
        if room is not None and not room.feed.dropped:
            room.used_at = asyncio.get_running_loop().time()
            self._open.move_to_end(room_id)
            return room
        if room is not None:
            await self._drop(room_id)
        starting = self._starting.get(room_id)
        if starting is None:
            starting = asyncio.create_task(self._start(room_id))
            self._starting[room_id] = starting
            # Whoever waited may be gone: then nobody asks how it ended.
            starting.add_done_callback(lambda task: task.cancelled() or task.exception())
        # Others may wait for the same start, so one that gives up does not cancel it.
        return await asyncio.shield(starting)

    def running(self, room_id: RoomId) -> RoomFeed | None:
        """Return the feed of a room if it runs."""
        room = self._open.get(room_id)
        return room.feed if room is not None else None

    def announce(self, feed: RoomFeed, rev: int) -> None:
        """Tell other nodes that a row exists; they read it from storage."""
        self._bus.publish(_channel(feed.room.id), f"{feed.room.epoch}.{rev}".encode())

    def announce_membership(self, user_id: UserId, room_id: RoomId) -> None:
        """Tell the nodes of a user's sockets that she is in a room, or out of it."""
        self._bus.publish(user_room(user_id), room_id.encode())

    async def follow_user(self, user_id: UserId) -> None:
        """Hear of the user's memberships from now on; call before reading them.

        Raises:
            StorageUnavailable: She is not followed.
        """
        following = self._users.get(user_id)
        if following is None:
            following = asyncio.create_task(self._follow(user_id))
            self._users[user_id] = following
            following.add_done_callback(lambda task: task.cancelled() or task.exception())
        try:
            # Her other socket may wait for the same, so one that goes does not cancel it.
            await asyncio.shield(following)
        except StorageUnavailable:
            if self._users.get(user_id) is following:
                del self._users[user_id]
            raise

    async def _follow(self, user_id: UserId) -> "_Followed":
        listener = partial(self._hear_of_user, user_id)
        subscription = await self._bus.subscribe(user_room(user_id), listener)
        try:
            revisions = await self._members.revisions([user_id])
        except BaseException:
            await subscription.cancel()
            raise
        return _Followed(subscription, revisions[user_id])

    async def unfollow_user(self, user_id: UserId) -> None:
        """Stop when the user's last socket on this node is gone."""
        if self._transport.sockets(user_room(user_id)):
            return
        following = self._users.pop(user_id, None)
        if following is not None:
            with contextlib.suppress(StorageUnavailable):
                await (await following).subscription.cancel()

    async def audit(self) -> None:
        """Compare with storage what announcements should have told, and repair what they missed.

        Raises:
            StorageUnavailable: Nothing is wrong by that; call again.
        """
        await self._audit_heads()
        await self._audit_memberships()

    async def _audit_heads(self) -> None:
        heads = await self._rooms.heads(list(self._open))
        for room_id, head in heads.items():
            room = self._open.get(room_id)
            if room is None:
                continue
            if head.epoch != room.feed.room.epoch:
                await self._drop(room_id)
            elif head.rev > room.feed.head:
                await room.feed.catch_up()
            elif head.rev < room.feed.head and await self._went_back(room.feed):
                await self._drop(room_id)

    async def _audit_memberships(self) -> None:
        # Only rooms she is in by now: one she lost has a row that the audit of heads finds.
        followed = {
            user_id: task.result()
            for user_id, task in self._users.items()
            if task.done() and task.exception() is None
        }
        revisions = await self._members.revisions(list(followed))
        for user_id, user in followed.items():
            if user.revision != revisions[user_id]:
                for membership, _, _ in await self._members.of_user(user_id):
                    (await self.open(membership.room_id)).feed.welcome(user_id)
                user.revision = revisions[user_id]

    async def audit_forever(self) -> None:
        """Audit every `AUDIT_S`, whatever storage does."""
        while True:
            await asyncio.sleep(AUDIT_S)
            try:
                await self.close_idle()
                await self.audit()
            except StorageUnavailable:
                logger.warning("audit: storage does not answer")
            except Exception:
                logger.exception("audit failed")  # the next one may not

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
            else:
                await self._hear(room, payload)

        # Subscribe first: a row announced while the room is read shows in `heard`.
        subscription = await self._bus.subscribe(_channel(room_id), listener)
        try:
            snapshot = await self._rooms.get(room_id)
            if snapshot is None:
                raise NotFound("no such room", room_id=room_id)
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

    async def _hear(self, room: OpenRoom, payload: bytes) -> None:
        epoch, _, rev = payload.decode().partition(".")
        if epoch != room.feed.room.epoch:
            await self._drop(room.feed.room.id)
        elif int(rev) > room.feed.head:
            await room.feed.catch_up()

    def _assemble(self, snapshot: RoomSnapshot, subscription: Subscription) -> OpenRoom:
        feed = RoomFeed(
            snapshot,
            messages=self._messages,
            transport=self._transport,
            sessions=self._sessions,
        )
        lane = Lane(feed, messages=self._messages, announce=self.announce)
        return OpenRoom(feed, lane, subscription, asyncio.get_running_loop().time())

    async def close_idle(self) -> None:
        """Close what no local socket needs any more, the longest unused first.

        Never one that was just opened: its caller has not used it yet, and would go on with a
        feed that hears nothing, beside the one that the next caller opens.
        """
        long_ago = asyncio.get_running_loop().time() - IDLE_S
        idle = [
            room_id
            for room_id, room in self._open.items()
            if room.used_at < long_ago and room.feed.idle and room.lane.idle
        ]
        for room_id in idle[: max(0, len(idle) - IDLE_ROOMS)]:
            await self._open.pop(room_id).subscription.cancel()

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

    async def _hear_of_user(self, user_id: UserId, payload: bytes) -> None:
        room = await self.open(RoomId(payload.decode()))
        room.feed.welcome(user_id)


def _channel(room_id: RoomId) -> str:
    return f"room:{room_id}"
