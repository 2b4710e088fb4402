"""The services of notifications, which every edge calls: Socket.IO, HTTP."""

from dataclasses import dataclass

from parley.namespaces.notification.inbox import InboxService
from parley.namespaces.notification.publishing import Publisher


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationServices:
    """What may be asked of notifications; the rules are in here and nowhere else."""

    inbox: InboxService
    publisher: Publisher
