"""From what a client has to live, without a seam: see `InboxSync.read`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from marshmallow import ValidationError

from parley.namespaces.errors import Invalid, pointers
from parley.namespaces.notification.feeds import InboxFeed, InboxFeeds
from parley.namespaces.notification.schemas import SyncInbox, SyncInboxSchema
from parley.namespaces.notification.wire import notification_to_wire
from parley.namespaces.paging import fitting
from parley.namespaces.session import Session
from parley.namespaces.since import since_of
from parley.namespaces.wire import Cursor
from parley.storage.inbox import NotificationRepository
from parley.storage.models import UserId
from parley.storage.notifications import InboxPage, Notification
from parley.storage.outgoing import MuteRepository

PAGE_ROWS = 200
REPLY_BYTES = 262_144
UNREAD_AT_FIRST = 100  # to who has no cursor
RESET_BEHIND = 10_000  # rows; who is farther behind starts over

_schema = SyncInboxSchema()


def read_since(auth: Mapping[str, Any]) -> str | None:
    """Return ``inbox`` of ``auth.since``, None if there is none; cursors of rooms are passed over.

    Raises:
        Invalid: It is no cursor, or ``since`` is no object.
    """
    since = since_of(auth)
    if since is None:
        return None
    if not isinstance(since, dict):
        raise Invalid.at("/since", "an object is expected")
    named = cast("dict[str, Any]", since)
    try:
        loaded = cast("SyncInbox", _schema.load({"inbox": named.get("inbox")}))
    except ValidationError as error:
        raise Invalid(errors=pointers(error.messages_dict, "/since")) from error
    return loaded.inbox


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxReply:
    """What a client missed; sent and handed over in one step of the event loop."""

    state: str
    upto: Cursor
    notifications: tuple[Notification, ...]
    more: bool
    unread: int
    muted_rooms: tuple[str, ...]
    hand_over: Callable[[], None]  # makes the socket live, unless there is more

    def to_wire(self, *, events: bool = True) -> dict[str, Any]:
        """Return the reply, with its notifications or without."""
        return {
            "state": self.state,
            "upto": str(self.upto),
            "events": [notification_to_wire(n) for n in self.notifications] if events else [],
            "more": self.more,
            "unread": self.unread,
            "muted_rooms": list(self.muted_rooms),
        }


class InboxSync:
    """Brings sockets up to date."""

    def __init__(
        self, *, feeds: InboxFeeds, notifications: NotificationRepository, mutes: MuteRepository
    ) -> None:
        self._feeds = feeds
        self._notifications = notifications
        self._mutes = mutes

    async def read(self, session: Session, cursor: str | None) -> InboxReply:
        """Return what changed after a cursor, as far as one reply goes.

        The caller sends it and calls ``hand_over``, both without awaiting anything after this
        returns. While the rows are read the feed shows none, so the last page ends where the
        live events begin.

        Raises:
            StorageUnavailable: The socket is not live until the next sync, and is told so by
                `inbox_behind`, in case it did not ask for a sync.
        """
        muted = await self._mutes.of_user(session.user_id)
        feed = await self._feeds.open(session.user_id)
        feed.leave(session.sid)
        try:
            async with feed.lock:
                reset, page = await self._page(feed, cursor)
                # At the end of the page: the count and the events are of one moment.
                unread = await self._notifications.unread(session.user_id)
        except Exception:
            feed.drop_out(session.sid)
            raise
        # No await from here to the caller's hand_over.
        rev = page.last if page.more else max(page.last, feed.head)
        return InboxReply(
            state="reset" if reset else "ok",
            upto=Cursor(feed.epoch, rev),
            notifications=page.notifications,
            more=page.more,
            unread=unread,
            muted_rooms=tuple(muted),
            hand_over=lambda: None if page.more or session.closed else feed.enter(session.sid),
        )

    def fell_behind(self, sid: str, user_id: UserId) -> bool:
        """Make a socket catch up that was not sent what came to its inbox."""
        feed = self._feeds.running(user_id)
        if feed is not None:
            feed.drop_out(sid)
        return feed is not None

    async def _page(self, feed: InboxFeed, cursor: str | None) -> tuple[bool, InboxPage]:
        """Return whether the cursor is void, and a page: of changes, or of what is unread."""
        at = None if cursor is None else Cursor.parse(cursor)
        if at is not None and not await self._is_void(feed, at):
            page = await self._notifications.changes(feed.user_id, after=at.rev, limit=PAGE_ROWS)
            if page.dense:
                # Her other sockets have these rows now, and this one does not get them twice.
                feed.show(page)
                return False, _fitted(page)
        newest = await self._notifications.listed(feed.user_id, unread=True, limit=UNREAD_AT_FIRST)
        fits = fitting(newest, REPLY_BYTES, notification_to_wire)
        # What is not shown yet comes as a live event.
        shown = [notification for notification in fits if notification.rev <= feed.head]
        found = tuple(sorted(shown, key=lambda notification: notification.seq))
        return at is not None, InboxPage(notifications=found, last=feed.head, more=False)

    async def _is_void(self, feed: InboxFeed, cursor: Cursor) -> bool:
        """Whether a cursor says nothing about this inbox, or is too far from its end.

        For one beyond the feed's head the feed reads on first.
        """
        if cursor.epoch != feed.epoch:
            return True
        if cursor.rev > feed.head:
            await feed.read_on()  # it may be of a row that is stored and about to be shown
        return not 0 <= feed.head - cursor.rev <= RESET_BEHIND


def _fitted(page: InboxPage) -> InboxPage:
    """Return as much of a page as fits into a reply."""
    fits = tuple(fitting(page.notifications, REPLY_BYTES, notification_to_wire))
    if len(fits) == len(page.notifications):
        return page
    return InboxPage(notifications=fits, last=fits[-1].rev, more=True)
