"""The product's server: every namespace is a door, and events go through it.

See `parley.namespaces.base`: the door has mailboxes, acks and sessions of its own.
"""

# pyright: standard
# (python-socketio ships without types)

import asyncio
import contextlib
from collections.abc import Callable
from functools import partial
from typing import Any

from socketio import packet

from parley.namespaces.base import BaseNamespace
from parley.namespaces.mailbox import Mailbox
from parley.namespaces.transport import Close
from parley.namespaces.wire import SYSTEM, SystemCode
from parley.server.engine.connection import Connection
from parley.server.engine.gate import Packet
from parley.server.engine.rooms import Member, Room
from parley.server.engine.server import Server

FLUSH_S = 2.0  # for a last word to leave; a client that does not read never gets it


class SocketServer(Server):
    """Socket.IO on this node; its namespaces are `BaseNamespace`."""

    def door(self, namespace: str) -> BaseNamespace:
        """Return a namespace."""
        door: BaseNamespace = self.namespace_handlers[namespace]
        return door

    def has(self, namespace: str) -> bool:
        """See `Server`."""
        return namespace in self.namespace_handlers

    def receive(self, member: Member, event: Packet) -> Mailbox | None:
        """See `Server`."""
        door = self.door(member.namespace)
        session = door.sessions.get(member.sid)
        if session is None:
            return None
        reply = None
        if event.id is not None:
            reply = partial(self._reply, member.connection, member.namespace, event.id)
        door.receive(session, event.data, size=event.size, reply=reply)
        return session.mailbox

    def _reply(self, connection: Connection, namespace: str, id: int, ack: dict[str, Any]) -> None:
        self.send_packet(connection, packet.ACK, namespace, [ack], id)

    def unknown(self, namespace: str) -> dict[str, Any]:
        """See `Server`."""
        return {
            "message": f"no namespace {namespace[:64]}",
            "data": {"code": "not_found", "retryable": False},
        }

    async def let_in(self, member: Member, auth: Any) -> Any:
        """See `Server`."""
        door = self.door(member.namespace)
        await door.trigger_event("connect", member.sid, member.connection.environ, auth)

    async def admitted(self, member: Member, auth: Any) -> None:
        """See `Server`."""
        # Only now: what is sent before the CONNECT answer arrives before `connect` in
        # JavaScript and is dropped by Python.
        await self.door(member.namespace).admitted(member.sid, auth)

    async def left(self, member: Member, reason: str) -> None:
        """See `Server`."""
        await self.door(member.namespace).trigger_event("disconnect", member.sid, reason)

    def fell_behind(self, connection: Connection, room: Room) -> bool:
        """See `Server`."""
        member = connection.members.get(room.namespace)
        return member is not None and self.door(room.namespace).fell_behind(member.sid, room.name)

    # Sending clients away

    def close(self, eio_sid: str, how: Close) -> None:
        """End one connection; its `disconnect` follows at once."""
        connection = self.eio.sockets.get(eio_sid)
        if connection is not None:
            self.eio.close(connection, how)

    async def expel(self, eio_sid: str, code: SystemCode) -> None:
        """Send a client away for good: it is told why, and does not come back by itself.

        Stock clients never reconnect after a namespace's DISCONNECT.
        """
        connection = self.eio.sockets.get(eio_sid)
        if connection is None:
            return
        for member in tuple(connection.clients()):
            if member.live:
                self.manager.deliver(member.namespace, SYSTEM, {"code": code}, room=member.sid)
                self.send_packet(connection, packet.DISCONNECT, member.namespace)
                await self._leave(member, self.reason.SERVER_DISCONNECT)
        await _flush(connection)
        self.eio.close(connection, Close.EXPELLED)

    def announce_end(self, come_back: Callable[[], int]) -> None:
        """Tell every client that its connection ends here.

        Args:
            come_back: Returns after how many milliseconds; asked for each connection.
        """
        for connection in tuple(self.eio.sockets.values()):
            notice = {"code": SystemCode.DRAINING, "retry_after_ms": come_back()}
            for member in tuple(connection.clients()):
                if member.live and not member.leaving:
                    self.manager.deliver(member.namespace, SYSTEM, notice, room=member.sid)

    async def flushed(self) -> None:
        """Wait until nothing waits for any transport, or `FLUSH_S` have passed."""
        await asyncio.gather(*(_flush(connection) for connection in self.eio.sockets.values()))

    async def close_all(self, how: Close) -> None:
        """End every connection and wait until they are gone."""
        for connection in list(self.eio.sockets.values()):
            self.eio.close(connection, how)
        await self.eio.shutdown()


async def _flush(connection: Connection) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(FLUSH_S):
            await connection.waits_at_most(0)
