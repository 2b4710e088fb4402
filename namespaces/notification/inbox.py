"""What a user does with her inbox. The rules of notifications are here and only here."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from parley.namespaces.errors import Invalid, NotFound
from parley.namespaces.notification.feeds import InboxFeeds
from parley.namespaces.notification.schemas import ListNotifications, MuteRoom, ReadNotifications
from parley.namespaces.notification.wire import notification_to_wire
from parley.namespaces.paging import fitting, from_cursor, to_cursor
from parley.storage.base import MemberRepository
from parley.storage.inbox import NotificationRepository
from parley.storage.models import Timestamp, UserId
from parley.storage.notifications import (
    Ending,
    Notification,
    NotificationId,
)
from parley.storage.outgoing import MuteRepository

STEP_ROWS = 500  # written in one transaction, between which others write
LIST_BYTES = 262_144  # of a page


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationPage:
    """A page of an inbox, newest first."""

    notifications: Sequence[Notification]
    following: str | None  # cursor of the next page


class InboxService:
    """Lists, reads, deletes, mutes."""

    def __init__(
        self,
        *,
        feeds: InboxFeeds,
        notifications: NotificationRepository,
        members: MemberRepository,
        mutes: MuteRepository,
        now: Callable[[], Timestamp],
    ) -> None:
        self._feeds = feeds
        self._notifications = notifications
        self._members = members
        self._mutes = mutes
        self._now = now

    async def listed(self, user_id: UserId, request: ListNotifications) -> NotificationPage:
        """Return a page of what has not ended.

        Raises:
            Invalid: ``cursor`` is not of this list.
        """
        found = await self._notifications.listed(
            user_id,
            before=None if request.cursor is None else _seq_of(request.cursor),
            unread=bool(request.unread),
            limit=request.limit + 1,  # one more: is there more?
        )
        page = fitting(found[: request.limit], LIST_BYTES, notification_to_wire)
        following = to_cursor(str(page[-1].seq)) if len(page) < len(found) else None
        return NotificationPage(notifications=page, following=following)

    async def unread(self, user_id: UserId) -> int:
        """Count what was not read, up to `UNREAD_CAP`."""
        return await self._notifications.unread(user_id)

    async def mark_read(self, user_id: UserId, request: ReadNotifications) -> int:
        """Make notifications read and return how many were not."""
        total, step = 0, STEP_ROWS
        # All: up to the end as of now, or somebody who writes meanwhile would keep it going.
        upto = request.up_to
        if request.ids is None and upto is None:
            upto = (await self._notifications.heads([user_id]))[user_id].rev
        while step == STEP_ROWS:
            step = await self._notifications.mark_read(
                user_id, ids=request.ids, upto=upto, at=self._now(), limit=STEP_ROWS
            )
            total += step
            await self._show(user_id, step)
        return total

    async def delete(self, user_id: UserId, ids: Sequence[NotificationId]) -> int:
        """Erase notifications and return how many there were."""
        ended = await self._notifications.end(user_id, ids, how=Ending.DELETE, at=self._now())
        await self._show(user_id, ended)
        return ended

    async def mute(self, user_id: UserId, request: MuteRoom) -> None:
        """Have no notifications of a room any more, or have them again.

        Raises:
            NotFound: She is not in such a room, so it has no notifications for her.
        """
        if request.muted:
            membership = await self._members.get(request.room_id, user_id)
            if membership is None or not membership.is_member:
                raise NotFound("not a member of such a room", room_id=request.room_id)
        await self._mutes.set_muted(user_id, request.room_id, muted=request.muted)

    async def _show(self, user_id: UserId, changed: int) -> None:
        if changed:
            head = (await self._notifications.heads([user_id]))[user_id]
            self._feeds.announce(user_id, head.rev)


def _seq_of(cursor: str) -> int:
    (seq,) = from_cursor(cursor, 1)
    if not re.fullmatch("[0-9]{1,16}", seq):
        raise Invalid.at("/cursor", "not a cursor of this list")
    return int(seq)
