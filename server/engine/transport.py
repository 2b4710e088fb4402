"""One namespace's view of the server."""

from collections.abc import Collection
from typing import Any

from parley.namespaces.transport import Close
from parley.server.engine.doors import SocketServer


class NamespaceTransport:
    """See `parley.namespaces.transport.Transport`."""

    def __init__(self, server: SocketServer, namespace: str) -> None:
        self._server = server
        self._manager = server.manager
        self._namespace = namespace

    def send(
        self,
        sid: str,
        event: str,
        data: Any,
        *,
        through: str | None = None,
        ephemeral: bool = False,
    ) -> None:
        """See `Transport`."""
        self._manager.deliver(
            self._namespace, event, data, room=sid, through=through, ephemeral=ephemeral
        )

    def broadcast(
        self,
        room: str,
        event: str,
        data: Any,
        *,
        also: str | None = None,
        skip: Collection[str] = (),
        ephemeral: bool = False,
    ) -> None:
        """See `Transport`."""
        self._manager.deliver(
            self._namespace, event, data, room=room, also=also, skip=skip, ephemeral=ephemeral
        )

    def enter(self, sid: str, room: str) -> None:
        """See `Transport`."""
        if self._manager.is_connected(sid, self._namespace):
            self._manager.basic_enter_room(sid, self._namespace, room)

    def leave(self, sid: str, room: str) -> None:
        """See `Transport`."""
        self._manager.basic_leave_room(sid, self._namespace, room)

    def sockets(self, room: str) -> Collection[str]:
        """See `Transport`."""
        return self._manager.sids(self._namespace, room)

    async def drained(self, sid: str) -> None:
        """See `Transport`."""
        member = self._manager.member(sid, self._namespace)
        if member is not None:
            await member.connection.waits_at_most(self._server.eio.queue_bytes // 2)

    def close(self, sid: str, how: Close) -> None:
        """See `Transport`."""
        member = self._manager.member(sid, self._namespace)
        if member is not None:
            self._server.eio.close(member.connection, how)
