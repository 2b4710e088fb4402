"""How a notification comes in: stored, shown, and pushed where nobody is there to see it."""

import logging
from collections.abc import Sequence

from parley.namespaces.notification.feeds import InboxFeeds
from parley.namespaces.notification.pushing import Pushing
from parley.storage.inbox import NotificationRepository
from parley.storage.notifications import Added, NotificationDraft

logger = logging.getLogger(__name__)


class Delivery:
    """The one way into an inbox."""

    def __init__(
        self,
        *,
        notifications: NotificationRepository,
        feeds: InboxFeeds,
        pushing: Pushing | None,
    ) -> None:
        """Push nothing without ``pushing``."""
        self._notifications = notifications
        self._feeds = feeds
        self._pushing = pushing

    async def deliver(self, drafts: Sequence[NotificationDraft]) -> Sequence[Added]:
        """Store notifications, then show them.

        One that is there already is announced again: the first time may have died before it was.

        Raises:
            StorageUnavailable: Delivering the same again is safe.
        """
        if not drafts:
            return []
        push = self._pushing.terms() if self._pushing is not None else None
        added = await self._notifications.add(drafts, push=push)
        for one in added:
            self._feeds.announce(one.notification.user_id, one.notification.rev)
        if self._pushing is not None:
            self._pushing.entered(refused=sum(one.push_refused for one in added))
        return added
