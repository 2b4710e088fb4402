"""What storage promises of things that expire, in memory or Redis: hints, and who is here.

Implementations say "See X"; `tests/storage` holds every one to it. Whatever is awaited may raise
`StorageUnavailable`.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Protocol

from parley.storage.models import Timestamp, UserId
from parley.storage.presence import Connection, Device, Due, Presence


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

    @property
    def deaf(self) -> bool:
        """Whether hints of other nodes do not arrive here; it is not known sooner than in seconds.

        What is published here reaches the listeners of this node all the same.
        """
        ...

    def on_reconnect(self, callback: Callable[[], None]) -> None:
        """Have a function called whenever hints may have been lost and arrive again from now on."""
        ...

    async def subscribe(self, channel: str, listener: Listener) -> Subscription:
        """Call ``listener`` for what is published from now on; confirmed when it returns.

        A bus that is away confirms later, and then calls who asked by `on_reconnect`. Listeners
        are called one after the other and must not block; their errors are logged.
        """
        ...

    def publish(self, channel: str, payload: bytes) -> None:
        """Hand over one payload without waiting. Never raises for a bus that is away."""
        ...


class ConnectionRegistry(Protocol):
    """Live sockets of every node. An entry that is not renewed expires with its lease."""

    async def register(self, connection: Connection) -> None:
        """Add one connection, or renew its lease; what is new about it counts."""
        ...

    async def renew(self, connections: Collection[Connection]) -> None:
        """Register many, which is cheaper at once."""
        ...

    async def unregister(self, connection: Connection) -> None:
        """Remove one connection; one that is not there is not an error."""
        ...

    async def unregister_all(self, connections: Collection[Connection]) -> None:
        """Unregister many, which is cheaper at once."""
        ...

    async def of_user(self, user_id: UserId) -> Sequence[Connection]:
        """Return the user's live connections, oldest first."""
        ...

    async def of_users(self, user_ids: Collection[UserId]) -> Mapping[UserId, Sequence[Connection]]:
        """Return those of each of some users, as `of_user` does."""
        ...

    async def online(self) -> Collection[UserId]:
        """Return everyone with a live connection."""
        ...


class NodeRegistry(Protocol):
    """Which nodes live. One that does not renew is not among them after its lease."""

    async def join(
        self, server_id: str, *, store_id: str, fingerprint: str, place: str | None
    ) -> None:
        """Become one of the nodes.

        Args:
            store_id: Where this node keeps things; it must be the same for all.
            fingerprint: Of the secret by which nodes understand one another; it must be the
                same for all where there may be several.
            place: None: any number of nodes may have that. Else only one, which is known by
                its place: whoever else has it there is its forerunner, and is gone.

        Raises:
            RedisInUse: It may not.
        """
        ...

    async def renew(self) -> None:
        """Stay one of the nodes; see `join` for what it raises."""
        ...

    async def leave(self) -> None:
        """Be no node any more."""
        ...

    async def others(self) -> Mapping[str, int]:
        """Return the ids of all others, and of each a number that grows when it renews."""
        ...


class PresenceStore(Protocol):
    """Who is here, on which devices, over all nodes.

    *Leases.* A node renews one lease for all its devices; where that ends, so do they. Each
    device that ends is claimed by one caller, who tells others; nobody else is told of it.

    *Grace.* A device that has left counts until its grace is over, or until one of the same user
    comes and takes its place: the newcomer goes on with what the other one reported. So a
    reload changes nothing.

    *Versions.* `Presence.as_of` is a clock, in microseconds, below 2^53. It never goes back, and
    each change of anybody sets it above all that was shown before. It goes on by itself, so that
    one who looks again and again learns nothing of changes that he may not see.

    Deadlines are those of a clock that nobody sets.
    """

    async def put(
        self,
        devices: Collection[Device],
        *,
        at: Timestamp,
        invisible: Collection[UserId] = (),
    ) -> Collection[UserId]:
        """Add devices, or add to what they reported; return whose presence changed.

        It renews the leases of their nodes.

        Args:
            invisible: Who is to be invisible if no device of hers is known.
        """
        ...

    async def leave(self, devices: Collection[Device], *, grace_s: float) -> None:
        """Let devices go when their grace is over; those that are not there are no error.

        Of one that has left already the first deadline stays.
        """
        ...

    async def hide(self, user_id: UserId, invisible: bool, *, at: Timestamp) -> bool:
        """Make a user invisible or visible; return whether it changed her presence.

        Nothing is kept of who has no device.
        """
        ...

    async def renew(self, server_id: str) -> bool:
        """Renew a node's lease; False: it was over, and its devices have to be put again."""
        ...

    async def claim(self, *, at: Timestamp) -> Due:
        """End what has come due, each device at one of all callers."""
        ...

    async def get(self, user_ids: Collection[UserId]) -> Mapping[UserId, Presence]:
        """Return how each of these users is; one who is not known has no devices."""
        ...

    async def shown(self) -> Collection[UserId]:
        """Return everyone who is here and not invisible."""
        ...
