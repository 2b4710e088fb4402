"""Socket.IO on this node: packets in, through the door; events out, in order."""

# pyright: standard
# (python-socketio and python-engineio ship without types)

import asyncio
import contextlib
import logging
from collections.abc import Collection
from functools import partial
from typing import Any

import socketio
from socketio import packet

from parley.namespaces.base import BaseNamespace
from parley.namespaces.transport import Close
from parley.namespaces.wire import SYSTEM, SystemCode
from parley.server.engine.gate import BrokenPacket, PacketGate
from parley.server.engine.manager import LocalManager
from parley.server.engine.websocket import Engine
from parley.server.engine.wire_json import WireJSON

logger = logging.getLogger(__name__)

FLUSH_S = 2.0  # for a last word to leave; a client that does not read never gets it


class SocketServer(socketio.AsyncServer):  # type: ignore[misc]  # socketio is untyped
    """python-socketio's server; its namespaces are `BaseNamespace`.

    Private seams: the ``_handle_*`` methods below. Stock decodes and dispatches in one method;
    here the gate decodes, so that a client's mistake and one of ours are not taken for another.
    """

    manager: LocalManager
    eio: Any
    packet_class: Any

    def __init__(self, **options: Any) -> None:
        super().__init__(
            client_manager=LocalManager(),
            json=WireJSON,
            async_handlers=False,  # the door has its own mailboxes; stock makes a task an event
            logger=False,
            engineio_logger=False,
            **options,
        )
        self._gate = PacketGate(self.packet_class)
        self._closing: set[asyncio.Task[None]] = set()

    def _engineio_server_class(self) -> type[Engine]:
        return Engine

    async def _handle_eio_message(self, eio_sid: str, data: str | bytes) -> None:
        try:
            taken = self._gate.take(eio_sid, data)
        except BrokenPacket as error:
            logger.info("broken packet from %s: %s", eio_sid, error)
            self.close(eio_sid, Close.PROTOCOL)
            return
        if taken is not None:
            try:
                await self._dispatch(eio_sid, *taken)
            except Exception:
                logger.exception("a packet of %s was not handled", eio_sid)
                self.close(eio_sid, Close.OVERLOADED)

    async def _dispatch(self, eio_sid: str, taken: Any, size: int) -> None:
        match taken.packet_type:
            case packet.CONNECT:
                await self._handle_connect(eio_sid, taken.namespace, taken.data)
            case packet.DISCONNECT:
                await self._handle_disconnect(eio_sid, taken.namespace)
            case packet.EVENT | packet.BINARY_EVENT:
                await self._receive(eio_sid, taken, size)
            case _:
                await self._handle_ack(eio_sid, taken.namespace, taken.id, taken.data)

    async def _handle_eio_disconnect(self, eio_sid: str, reason: str) -> None:
        self._gate.forget(eio_sid)
        await super()._handle_eio_disconnect(eio_sid, reason)

    async def _handle_connect(self, eio_sid: str, namespace: str | None, data: Any) -> None:
        name = namespace or "/"
        if name not in self.namespace_handlers:
            wire = {
                "message": f"no namespace {name[:64]}",
                "data": {"code": "not_found", "retryable": False},
            }
            await self._refuse(eio_sid, name, wire)
            return
        if self.manager.sid_from_eio_sid(eio_sid, name) is not None:
            # Below she would be greeted a second time, and her catch-up begun again.
            logger.info("a second CONNECT of %s", eio_sid)
            self.close(eio_sid, Close.PROTOCOL)
            return
        try:
            await super()._handle_connect(eio_sid, namespace, data)
        except Exception:
            # Stock leaves the sid behind, half connected, and the client without an answer.
            logger.exception("connect of %s failed", eio_sid)
            self.close(eio_sid, Close.OVERLOADED)
            return
        sid = self.manager.sid_from_eio_sid(eio_sid, name)
        handler = self.namespace_handlers[name]
        # Only now: what is sent before the CONNECT answer arrives before `connect` in
        # JavaScript and is dropped by Python. And only if the socket still lives.
        if sid in handler.sessions:
            await handler.admitted(sid, data)

    async def _refuse(self, eio_sid: str, namespace: str, wire: dict[str, Any]) -> None:
        refusal = self.packet_class(packet.CONNECT_ERROR, data=wire, namespace=namespace)
        await self._send_packet(eio_sid, refusal)

    async def _receive(self, eio_sid: str, event: Any, size: int) -> None:
        name = event.namespace or "/"
        sid = self.manager.sid_from_eio_sid(eio_sid, name)
        if sid is None or not self.manager.is_connected(sid, name):
            return
        handler: BaseNamespace = self.namespace_handlers[name]
        reply = None if event.id is None else partial(self._reply, eio_sid, name, event.id)
        await handler.receive(sid, event.data, size=size, reply=reply)

    def _reply(self, eio_sid: str, namespace: str, id: int, ack: dict[str, Any]) -> None:
        reply = self.packet_class(packet.ACK, namespace=namespace, id=id, data=[ack])
        self.manager.put(eio_sid, reply.encode())

    def close(self, eio_sid: str, how: Close) -> None:
        """End one connection in a task of its own; its `disconnect` follows."""
        task = asyncio.create_task(self.eio.close_for_now(eio_sid, how))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def expel(self, eio_sid: str, code: SystemCode) -> None:
        """Send a client away for good: it is told why, and does not come back by itself.

        Stock clients never reconnect after a namespace's DISCONNECT.
        """
        for name, handler in list(self.namespace_handlers.items()):
            sid = self.manager.sid_from_eio_sid(eio_sid, name)
            if sid is None or sid not in handler.sessions:
                continue
            self.manager.deliver(name, SYSTEM, {"code": code}, room=sid)
            farewell = self.packet_class(packet.DISCONNECT, namespace=name)
            self.manager.put(eio_sid, farewell.encode())
            await super()._handle_disconnect(eio_sid, name, self.reason.SERVER_DISCONNECT)
        await self._flush(eio_sid)
        await self.eio.close_for_now(eio_sid, Close.EXPELLED)

    async def _flush(self, eio_sid: str) -> None:
        socket = self.eio.sockets.get(eio_sid)
        if socket is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(FLUSH_S):
                    await socket.queue.join()

    async def flushed(self) -> None:
        """Wait until every outbox is empty, or `FLUSH_S` have passed."""
        await asyncio.gather(*(self._flush(sid) for sid in list(self.eio.sockets)))

    async def close_all(self, how: Close) -> None:
        """End every connection and wait until they are gone."""
        closing = (self.eio.close_for_now(sid, how) for sid in list(self.eio.sockets))
        await asyncio.gather(*closing, *self._closing, return_exceptions=True)


class NamespaceTransport:
    """One namespace's view of the server. See `parley.namespaces.transport.Transport`."""

    def __init__(self, server: SocketServer, namespace: str) -> None:
        self._server = server
        self._manager = server.manager
        self._namespace = namespace

    def send(self, sid: str, event: str, data: Any) -> None:
        """See `Transport`."""
        self._manager.deliver(self._namespace, event, data, room=sid)

    def broadcast(self, room: str, event: str, data: Any, *, skip: Collection[str] = ()) -> None:
        """See `Transport`."""
        self._manager.deliver(self._namespace, event, data, room=room, skip=skip)

    def enter(self, sid: str, room: str) -> None:
        """See `Transport`."""
        if self._manager.is_connected(sid, self._namespace):
            self._manager.basic_enter_room(sid, self._namespace, room)

    def leave(self, sid: str, room: str) -> None:
        """See `Transport`."""
        self._manager.basic_leave_room(sid, self._namespace, room)

    def sockets(self, room: str) -> Collection[str]:
        """See `Transport`."""
        return list(self._manager.rooms.get(self._namespace, {}).get(room, ()))

    async def drained(self, sid: str) -> None:
        """See `Transport`."""
        socket = self._server.eio.sockets.get(self._eio_sid(sid))
        if socket is not None and not socket.closed:
            await socket.queue.join()

    def close(self, sid: str, how: Close) -> None:
        """See `Transport`."""
        eio_sid = self._eio_sid(sid)
        if eio_sid is not None:
            self._server.close(eio_sid, how)

    def _eio_sid(self, sid: str) -> str | None:
        eio_sid: str | None = self._manager.eio_sid_from_sid(sid, self._namespace)
        return eio_sid
