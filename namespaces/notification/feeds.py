"""The inboxes that are heard on this node: every row once, in order, to local sockets.

Rules of this file (docs/design.md, "Inboxes"):
- An announcement or an own write only says "there is more"; rows are read from storage, in order.
- What has a live socket has a feed. A socket enters under the feed's lock, so nothing is shown
  between its catch-up and its first live event.
"""

import asyncio
import contextlib
import logging
from collections.abc import Mapping
from functools import partial

from parley.namespaces import hints
from parley.namespaces.eager import Crew
from parley.namespaces.notification.wire import Notice, inbox_key, notification_to_wire
from parley.namespaces.session import user_room
from parley.namespaces.transport import Transport
from parley.storage.errors import StorageUnavailable
from parley.storage.expiring import Bus, Subscription
from parley.storage.inbox import NotificationRepository
from parley.storage.models import Head, UserId
from parley.storage.notifications import InboxPage, Notification

logger = logging.getLogger(__name__)


class InboxFeed:
    """The rows of one inbox from `head` on."""

    def __init__(
        self,
        user_id: UserId,
        head: Head,
        *,
        notifications: NotificationRepository,
        transport: Transport,
        subscription: Subscription,
    ) -> None:
        self.user_id = user_id
        self.epoch = head.epoch
        self.head = head.rev  # everything up to here was shown
        self.lock = asyncio.Lock()  # held while rows are read and shown, and by who catches up
        self._over = False  # another one has taken its place, or will
        self._subscription = subscription
        self._shown = head.rev  # position of the last one that was sent: the next one's `prev`
        self._notifications = notifications
        self._transport = transport

    async def reach(self, rev: int) -> None:
        """Show every row after `head`, unless ``rev`` is shown already.

        Raises:
            StorageUnavailable: Nothing was shown; calling again is safe.
        """
        async with self.lock:
            if rev > self.head:
                await self.read_on()

    async def read_on(self) -> None:
        """Show every row after `head`; for who holds `lock`.

        Raises:
            StorageUnavailable: Nothing was shown; calling again is safe.
        """
        page = await self._notifications.changes(self.user_id, after=self.head)
        if self._over:
            return  # whoever hears the inbox by now has these rows from the next feed
        if not page.dense:
            logger.error("inbox of %s: a row is missing after %d", self.user_id, self.head)
            self.scatter()
        self.show(page)

    def show(self, page: InboxPage) -> None:
        """Show those of a page of changes that were not shown; for who holds `lock`.

        The page has begun at `head` or before, or rows would be passed over.
        """
        if self._over:
            return
        for notification in page.notifications:
            if notification.rev > self.head:
                self._show(notification)
        self.head = max(self.head, page.last)

    def enter(self, sid: str) -> None:
        """Make a socket live: it has every row up to `head` in its outbox.

        Where the feed is over, the socket is told to sync instead.
        """
        if self._over:
            self.drop_out(sid)
        else:
            self._transport.enter(sid, inbox_key(self.user_id))

    def leave(self, sid: str) -> None:
        """Take a socket out, because it catches up or is gone."""
        self._transport.leave(sid, inbox_key(self.user_id))

    def drop_out(self, sid: str) -> None:
        """Take a socket out and tell it to sync."""
        self.leave(sid)
        self._transport.send(sid, Notice.INBOX_BEHIND, {"head": self.head})

    def scatter(self) -> None:
        """Take every socket out and tell it to sync."""
        for sid in list(self._transport.sockets(inbox_key(self.user_id))):
            self.drop_out(sid)

    async def close(self) -> None:
        """Show nothing any more; whoever enters later is told to sync."""
        self._over = True
        await self._subscription.cancel()

    def _show(self, notification: Notification) -> None:
        wire = notification_to_wire(notification)
        if self._shown != notification.rev - 1:
            wire["prev"] = self._shown
        self._shown = notification.rev
        self._transport.broadcast(inbox_key(self.user_id), Notice.NOTIFICATION, wire)


class InboxFeeds:
    """Starts an inbox's feed with its user's first socket here, and ends it with the last."""

    def __init__(
        self, *, notifications: NotificationRepository, bus: Bus, transport: Transport
    ) -> None:
        self._notifications = notifications
        self._bus = bus
        self._transport = transport
        self._feeds: dict[UserId, asyncio.Task[InboxFeed]] = {}
        self._showing = Crew()

    async def open(self, user_id: UserId) -> InboxFeed:
        """Return the running feed of a user who has a socket here.

        Raises:
            StorageUnavailable: It could not be read.
        """
        starting = self._feeds.get(user_id)
        if starting is None:
            starting = asyncio.create_task(self._start(user_id))
            self._feeds[user_id] = starting
            starting.add_done_callback(lambda task: task.cancelled() or task.exception())
        try:
            # Her other socket may wait for the same, so one that goes does not cancel it.
            return await asyncio.shield(starting)
        except Exception:
            if self._feeds.get(user_id) is starting:
                del self._feeds[user_id]
            raise

    async def _start(self, user_id: UserId) -> InboxFeed:
        # Subscribe first: a row that is announced while the head is read is heard.
        subscription = await self._bus.subscribe(inbox_key(user_id), partial(self._hear, user_id))
        try:
            heads = await self._notifications.heads([user_id])
        except BaseException:
            await subscription.cancel()
            raise
        return InboxFeed(
            user_id,
            heads[user_id],
            notifications=self._notifications,
            transport=self._transport,
            subscription=subscription,
        )

    def running(self, user_id: UserId) -> InboxFeed | None:
        """Return the feed of a user if it runs."""
        task = self._feeds.get(user_id)
        if task is None or not task.done() or task.cancelled() or task.exception() is not None:
            return None
        return task.result()

    async def release(self, user_id: UserId) -> None:
        """End the feed when the user's last socket on this node is gone."""
        if self._transport.sockets(user_room(user_id)):
            return
        task = self._feeds.pop(user_id, None)
        if task is not None:
            with contextlib.suppress(StorageUnavailable):
                await (await task).close()

    def announce(self, user_id: UserId, rev: int) -> None:
        """Show a row that is stored: here at once, on other nodes when they hear of it."""
        feed = self.running(user_id)
        if feed is not None:
            self._showing.start(self._reach(feed, rev))
        self._bus.publish(inbox_key(user_id), str(rev).encode())

    def announce_all(self, heads: Mapping[UserId, int]) -> None:
        """Do that for the newest rows of several inboxes."""
        for user_id, rev in heads.items():
            self.announce(user_id, rev)

    async def settled(self) -> None:
        """Wait until every row that was announced is shown."""
        await self._showing.settled()

    async def audit(self) -> None:
        """Compare heads with storage, and show what no announcement told.

        Raises:
            StorageUnavailable: Nothing is wrong by that; call again.
        """
        feeds = {user_id: feed for user_id in self._feeds if (feed := self.running(user_id))}
        for user_id, head in (await self._notifications.heads(list(feeds))).items():
            feed = feeds[user_id]
            if head.epoch != feed.epoch or head.rev < feed.head:
                await self._renew(feed)
            else:
                await feed.reach(head.rev)

    async def _renew(self, feed: InboxFeed) -> None:
        """Give up a feed whose inbox was started anew; its sockets sync and learn it.

        One stale read does not prove that a head went back.
        """
        again = (await self._notifications.heads([feed.user_id]))[feed.user_id]
        if again.epoch == feed.epoch and again.rev >= feed.head:
            return
        if self.running(feed.user_id) is feed:  # meanwhile her last socket may have gone
            del self._feeds[feed.user_id]
        await feed.close()
        feed.scatter()

    async def _hear(self, user_id: UserId, payload: bytes) -> None:
        task, rev = self._feeds.get(user_id), hints.read_position(payload)
        if task is None or rev is None:
            return
        with contextlib.suppress(StorageUnavailable):  # it did not start; who needs it tries again
            await self._reach(await asyncio.shield(task), rev)

    async def _reach(self, feed: InboxFeed, rev: int) -> None:
        try:
            await feed.reach(rev)
        except StorageUnavailable:
            logger.warning("inbox of %s: rows are shown later, by the audit", feed.user_id)
