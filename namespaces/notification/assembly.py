"""The notification domain put together, over whatever storage and transport it is given."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from parley.namespaces.identity import Authenticator
from parley.namespaces.notification.alerts import Alerts
from parley.namespaces.notification.delivery import Delivery
from parley.namespaces.notification.events import NotificationNamespace
from parley.namespaces.notification.feeds import InboxFeeds
from parley.namespaces.notification.inbox import InboxService
from parley.namespaces.notification.publishing import Publisher
from parley.namespaces.notification.pushing import Pushing
from parley.namespaces.notification.resume import InboxResume
from parley.namespaces.notification.seams import Present
from parley.namespaces.notification.services import NotificationServices
from parley.namespaces.notification.sync import InboxSync
from parley.namespaces.notification.told import Told
from parley.namespaces.notification.upkeep import Upkeep
from parley.namespaces.transport import Transport
from parley.storage.base import MemberRepository, MessageRepository, RoomRepository, UserRepository
from parley.storage.errors import StorageUnavailable
from parley.storage.expiring import Bus
from parley.storage.inbox import NotificationRepository
from parley.storage.models import Timestamp
from parley.storage.outgoing import MuteRepository, PublicationRepository

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationStorage:
    """Where notifications are kept, and what they look up."""

    notifications: NotificationRepository
    mutes: MuteRepository
    publications: PublicationRepository
    messages: MessageRepository
    rooms: RoomRepository
    members: MemberRepository
    users: UserRepository
    bus: Bus


@dataclass(frozen=True, slots=True, kw_only=True)
class Notifications:
    """One node's notification domain."""

    namespace: NotificationNamespace
    services: NotificationServices
    feeds: InboxFeeds
    alerts: Alerts
    upkeep: Upkeep
    pushing: Pushing | None

    async def begin(self) -> None:
        """Go on with what the last process left.

        Raises:
            StorageUnavailable: Nothing is lost; the next start goes on.
        """
        await self.alerts.resume()
        await self.services.publisher.resume()

    async def stop(self) -> None:
        """Finish what was begun in the name of others, or leave it for the next start."""
        await self.services.publisher.stop()
        try:
            await self.alerts.close()
        except StorageUnavailable:
            logger.warning("the next start looks at the newest messages again")
        await self.feeds.settled()


def assemble(
    storage: NotificationStorage,
    *,
    server_id: str,
    transport: Transport,
    authenticate: Authenticator,
    present: Present,
    pushing: Pushing | None,
    digest_key: bytes,
    now: Callable[[], Timestamp],
    retention_days: int | None = None,
    **door: Any,
) -> Notifications:
    """Return the domain over ``storage``, its sockets reached through ``transport``.

    Args:
        present: Who hears the chat by herself, so that no message to her becomes a notification.
        pushing: Takes what nobody is there to see; None: nothing is pushed.
        retention_days: See `Upkeep`.
        door: What else `BaseNamespace` takes.
    """
    notifications, users, mutes = storage.notifications, storage.users, storage.mutes
    feeds = InboxFeeds(notifications=notifications, bus=storage.bus, transport=transport)
    delivery = Delivery(notifications=notifications, feeds=feeds, pushing=pushing)
    sync = InboxSync(feeds=feeds, notifications=notifications, mutes=mutes)
    services = NotificationServices(
        inbox=InboxService(
            feeds=feeds,
            notifications=notifications,
            members=storage.members,
            mutes=mutes,
            now=now,
        ),
        publisher=Publisher(
            publications=storage.publications,
            delivery=delivery,
            rooms=storage.rooms,
            members=storage.members,
            users=users,
            mutes=mutes,
            digest_key=digest_key,
            now=now,
        ),
    )
    alerts = Alerts(
        delivery=delivery,
        told=Told(
            feeds=feeds,
            notifications=notifications,
            messages=storage.messages,
            rooms=storage.rooms,
            users=users,
            now=now,
        ),
        mutes=mutes,
        publications=storage.publications,
        messages=storage.messages,
        rooms=storage.rooms,
        present=present,
        now=now,
    )
    namespace = NotificationNamespace(
        inbox=services.inbox,
        sync=sync,
        resume=InboxResume(
            server_id=server_id,
            feeds=feeds,
            sync=sync,
            users=users,
            transport=transport,
            now=now,
        ),
        authenticate=authenticate,
        transport=transport,
        **door,
    )
    upkeep = Upkeep(
        feeds=feeds,
        alerts=alerts,
        publisher=services.publisher,
        notifications=notifications,
        publications=storage.publications,
        bus=storage.bus,
        days=retention_days,
        now=now,
    )
    return Notifications(
        namespace=namespace,
        services=services,
        feeds=feeds,
        alerts=alerts,
        upkeep=upkeep,
        pushing=pushing,
    )
