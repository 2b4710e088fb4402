"""What notifications need of others: who is there, and a way to devices that are not."""

from collections.abc import Awaitable, Callable, Collection
from typing import Protocol

from parley.storage.models import UserId
from parley.storage.notifications import Notification

Present = Callable[[Collection[UserId]], Awaitable[Collection[UserId]]]
"""Returns those of some users who have a live device; they hear for themselves."""


class PushFailed(Exception):
    """The push did not arrive; ``everything``: and no other would have."""

    def __init__(self, why: str, *, everything: bool) -> None:
        super().__init__(why)
        self.everything = everything


class PushSender(Protocol):
    """A way to devices that are not connected: a webhook, a service of push messages."""

    async def send(self, notification: Notification) -> None:
        """Return when the receiver has it. It may get it again: it knows it by its id.

        Raises:
            PushFailed: It did not arrive, as far as can be known.
        """
        ...
