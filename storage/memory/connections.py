"""Live sockets of one process."""

import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping, Sequence

from parley.storage.models import UserId
from parley.storage.presence import Connection

LEASE = 60.0  # seconds


class MemoryConnectionRegistry:
    """See `ConnectionRegistry`."""

    def __init__(
        self, *, lease: float = LEASE, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """Let an entry live ``lease`` seconds of the clock ``monotonic`` after each renewal."""
        self._lease = lease
        self._now = monotonic
        # By renewal, so by expiry too: what has expired is always in front.
        self._expiry: OrderedDict[str, float] = OrderedDict()
        self._connections: dict[str, Connection] = {}
        self._users: dict[UserId, dict[str, Connection]] = {}

    async def register(self, connection: Connection) -> None:
        """See `ConnectionRegistry`."""
        self._expire()
        self._expiry[connection.id] = self._now() + self._lease
        self._expiry.move_to_end(connection.id)
        self._connections[connection.id] = connection
        self._users.setdefault(connection.user_id, {})[connection.id] = connection

    async def renew(self, connections: Collection[Connection]) -> None:
        """See `ConnectionRegistry`."""
        for connection in connections:
            await self.register(connection)

    async def unregister(self, connection: Connection) -> None:
        """See `ConnectionRegistry`."""
        self._remove(connection.id)

    async def unregister_all(self, connections: Collection[Connection]) -> None:
        """See `ConnectionRegistry`."""
        for connection in connections:
            await self.unregister(connection)

    async def of_user(self, user_id: UserId) -> Sequence[Connection]:
        """See `ConnectionRegistry`."""
        self._expire()
        live = self._users.get(user_id, {}).values()
        return sorted(live, key=lambda connection: (connection.connected_at, connection.id))

    async def of_users(self, user_ids: Collection[UserId]) -> Mapping[UserId, Sequence[Connection]]:
        """See `ConnectionRegistry`."""
        return {user_id: await self.of_user(user_id) for user_id in user_ids}

    async def online(self) -> Collection[UserId]:
        """See `ConnectionRegistry`."""
        self._expire()
        return frozenset(self._users)

    def _expire(self) -> None:
        now = self._now()
        while self._expiry:
            connection_id, expires_at = next(iter(self._expiry.items()))
            if expires_at > now:
                break
            self._remove(connection_id)

    def _remove(self, connection_id: str) -> None:
        self._expiry.pop(connection_id, None)
        connection = self._connections.pop(connection_id, None)
        if connection is None:
            return
        of_user = self._users[connection.user_id]
        del of_user[connection_id]
        if not of_user:
            del self._users[connection.user_id]
