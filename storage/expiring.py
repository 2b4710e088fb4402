"""What storage promises of things that expire, in memory or Redis: hints, and who is connected.

Implementations say "See X"; `tests/storage` holds every one to it. Whatever is awaited may raise
`StorageUnavailable`.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Protocol

from parley.storage.models import Connection, UserId


class Subscription(Protocol):
    """A running subscription to one channel."""

    async def cancel(self) -> None:
        """End it; nothing is delivered after this returns."""
        ...


Listener = Callable[[bytes], Awaitable[None]]


class Bus(Protocol):
    """Hints between nodes: at most once, in any order, perhaps never.

    Nothing may depend on a message that was published here; storage is the truth.
    """

    async def subscribe(self, channel: str, listener: Listener) -> Subscription:
        """Call ``listener`` for what is published from now on; confirmed when it returns.

        Listeners are called one after the other and must not block; their errors are logged.
        """
        ...

    def publish(self, channel: str, payload: bytes) -> None:
        """Hand over one payload without waiting. Never raises for a bus that is away."""
        ...


class ConnectionRegistry(Protocol):
    """Live sockets of every node. An entry that is not renewed expires with its lease."""

    async def register(self, connection: Connection) -> None:
        """Add one connection, or renew its lease."""
        ...

    async def unregister(self, connection: Connection) -> None:
        """Remove one connection; one that is not there is not an error."""
        ...

    async def of_user(self, user_id: UserId) -> Sequence[Connection]:
        """Return the user's live connections, oldest first."""
        ...

    async def online(self) -> Collection[UserId]:
        """Return everyone with a live connection."""
        ...
