"""Where other parts of the product take part in sending: filter, limits, notifications.

The chat calls these and knows no more of them. Each has a form that does nothing, until the
part that does it is assembled in its place.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from parley.storage.models import JSON, Membership, Message, MessageId, Room, UserId


class Limit(Protocol):
    """How often a user may do something."""

    async def __call__(self, user_id: UserId, action: str) -> None:
        """Count one ``action``, named as its event.

        Raises:
            RateLimited: It was one too many; it says when to come back.
        """
        ...


class Notify(Protocol):
    """Hears of each new message from the node that stored it, perhaps more than once.

    What a crash comes before is made good by whoever implements it.
    """

    def __call__(self, room: Room, members: Mapping[UserId, Membership], message: Message) -> None:
        """Take note without waiting; ``message`` is on disk."""
        ...


Revise = Callable[[Room, MessageId], None]
"""Hears of every message that was edited or deleted, without waiting; perhaps more than once."""

Filter = Callable[[JSON], JSON]
"""Returns the content to store for the content that was sent, or raises `RejectedContent`."""


async def _no_limit(user_id: UserId, action: str) -> None:
    pass


def _notify_nobody(room: Room, members: Mapping[UserId, Membership], message: Message) -> None:
    pass


def _nothing_to_revise(room: Room, message_id: MessageId) -> None:
    pass


def _keep(content: JSON) -> JSON:
    return content


@dataclass(frozen=True, slots=True, kw_only=True)
class Seams:
    """What takes part in sending."""

    limit: Limit = _no_limit
    filter: Filter = _keep
    notify: Notify = _notify_nobody
    revise: Revise = _nothing_to_revise
