"""python-socketio on our own engine: packets in, through the gate; events out, in order.

Private seams, all in this folder (tests/server/engine/test_seams.py names the one that moves):
``_engineio_server_class`` puts the engine underneath; ``_send_packet`` is how python-socketio's
own methods send; ``_trigger_event``, in `handlers`, finds the handler of an event.
"""

# pyright: standard
# (python-socketio and python-engineio ship without types)

import logging
from typing import Any

from socketio import packet
from socketio.exceptions import ConnectionRefusedError as Refused

from parley.namespaces.mailbox import Mailbox
from parley.namespaces.transport import Close
from parley.server.engine import gate
from parley.server.engine.connection import Connection
from parley.server.engine.encoding import encode
from parley.server.engine.engine import Engine
from parley.server.engine.handlers import RESERVED, Handlers, waits
from parley.server.engine.manager import LocalManager
from parley.server.engine.rooms import Member, Room
from parley.server.engine.wire_json import WireJSON

logger = logging.getLogger(__name__)

MAX_REFUSALS = 10  # of a connection that asks for namespaces, until it is closed
MAX_LEAVING = 10  # disconnect handlers of a connection that run when it joins once more

_NEVER = object()


class Server(Handlers):
    """See `socketio.AsyncServer`. A client's events are handled one after the other, in order.

    Until a handler waits for something it has no task of its own: see `parley.namespaces.eager`.
    """

    manager_initialized: bool
    eio: Engine

    def __init__(self, client_manager: LocalManager | None = None, **options: Any) -> None:
        super().__init__(
            client_manager=client_manager or LocalManager(),
            json=WireJSON,
            async_handlers=True,  # by which it means that a handler may wait for its client
            logger=False,
            engineio_logger=False,
            **options,
        )
        self.eio.on_message = self._message
        self.eio.on_end = self._ended
        self.eio.on_behind = self.fell_behind

    def _engineio_server_class(self) -> type[Engine]:
        return Engine

    async def disconnect(
        self, sid: str, namespace: str | None = None, ignore_queue: bool = False
    ) -> None:
        """See `socketio.AsyncServer`; nothing is left of a client whose handler raises."""
        member = self.manager.member(sid, namespace or "/")
        if member is None or not member.live or member.leaving:
            await super().disconnect(sid, namespace, ignore_queue)
            return
        self.send_packet(member.connection, packet.DISCONNECT, member.namespace)
        await self._leave(member, self.reason.SERVER_DISCONNECT)

    # Packets in

    def _message(self, connection: Connection, data: bytes, binary: bool) -> None:
        try:
            received = gate.take(connection, data, binary=binary)
        except gate.BrokenPacket as error:
            self.eio.broken(connection, str(error))
            return
        if received is None:
            return
        kind = received.kind
        member: Any = connection.members.get(received.namespace, _NEVER)
        if kind == packet.CONNECT:
            self.eio.crew.start(self._join(connection, received.namespace, received.data))
        elif member is _NEVER:
            self.eio.broken(connection, "a packet of a namespace that it never joined")
        elif member is None:
            return  # it was on its way when the client had left, or was sent away
        elif kind == packet.DISCONNECT:
            self.eio.crew.start(self._leave(member, self.reason.CLIENT_DISCONNECT))
        elif not member.live:
            return
        elif kind in gate.EVENTS:
            mailbox = self.receive(member, received)
            if mailbox is not None and mailbox.full:
                connection.hold(mailbox.space())
        else:
            self.eio.crew.start(
                self.manager.trigger_callback(member.sid, received.id, received.data)
            )

    def receive(self, member: Member, event: gate.Packet) -> Mailbox | None:
        """Handle one event, when those before it are through; return the mailbox it went to."""
        name = event.data[0] if event.data else None
        if not isinstance(name, (str, int)) or name in RESERVED:
            self.eio.broken(member.connection, "an event without a name, or with a reserved one")
            return None
        if member.mailbox is None:
            member.mailbox = Mailbox()
        member.mailbox.put(self._handle, member, event, overlaps=False)
        return member.mailbox

    async def _handle(self, member: Member, event: gate.Packet) -> None:
        name, *arguments = event.data
        answer = self.call_handler(name, member.namespace, (member.sid, *arguments))
        if waits(answer):
            answer = await answer
        if event.id is None or answer is self.not_handled:
            return
        data = list(answer) if isinstance(answer, tuple) else [] if answer is None else [answer]
        self.send_packet(member.connection, packet.ACK, member.namespace, data, event.id)

    # Namespaces

    async def _join(self, connection: Connection, namespace: str, auth: Any) -> None:
        if connection.leaving >= MAX_LEAVING:
            self.eio.broken(connection, "in and out of namespaces faster than can be handled")
            return
        if not self.has(namespace):
            self.refuse(connection, namespace, self.unknown(namespace))
            return
        if connection.members.get(namespace) is not None:
            # It would be greeted a second time.
            self.eio.broken(connection, "a second CONNECT")
            return
        member = self.manager.join(connection, namespace)
        try:
            let_in = await self.let_in(member, auth)
        except (Refused, ConnectionRefusedError) as refusal:
            self._refused(member, getattr(refusal, "error_args", {"message": str(refusal)}))
        except Exception:
            logger.exception("connect of %s failed", member.sid)
            self.manager.forget(member)
            self.eio.close(connection, Close.OVERLOADED)
        else:
            if let_in is False:
                self._refused(member, Refused().error_args)
            else:
                await self._admit(member, auth)

    def _refused(self, member: Member, wire: Any) -> None:
        self.manager.forget(member)
        self.refuse(member.connection, member.namespace, wire)

    async def _admit(self, member: Member, auth: Any) -> None:
        member.live = True
        if member.connection.closed or member.leaving:
            # It left while its connect handler ran: the handler's counterpart follows.
            member.leaving = False
            await self._leave(member, self.reason.TRANSPORT_CLOSE)
            return
        self.send_packet(member.connection, packet.CONNECT, member.namespace, {"sid": member.sid})
        await self.admitted(member, auth)

    async def _leave(self, member: Member, reason: str) -> None:
        if member.leaving:
            return
        member.leaving = True
        # From now on its client may join again, and does not wait for the handler.
        if member.connection.members.get(member.namespace) is member:
            member.connection.members[member.namespace] = None
        if not member.live:
            return  # `_admit` goes on with it
        member.connection.leaving += 1
        try:
            await self.left(member, reason)
        except Exception:
            logger.exception("disconnect of %s failed", member.sid)
        finally:
            member.connection.leaving -= 1
            self.manager.forget(member)

    def _ended(self, connection: Connection, reason: str) -> None:
        connection.incomplete = None
        for member in tuple(connection.clients()):
            self.eio.crew.start(self._leave(member, reason))

    async def _handle_eio_connect(self, eio_sid: str, environ: dict[str, Any]) -> None:
        if not self.manager_initialized:
            self.manager_initialized = True
            self.manager.initialize()

    # What the product does in its own way

    def has(self, namespace: str) -> bool:
        """Whether there is a namespace."""
        known = namespace in self.handlers or namespace in self.namespace_handlers
        return known or self.namespaces == "*" or namespace in self.namespaces

    def unknown(self, namespace: str) -> dict[str, Any]:
        """Return what a client is told that asks for a namespace that is not there."""
        return {"message": "Invalid namespace"}

    async def let_in(self, member: Member, auth: Any) -> Any:
        """Call the connect handler; False, or `Refused`, refuses the client."""
        environ = member.connection.environ
        return await self._trigger_event("connect", member.namespace, member.sid, environ, auth)

    async def admitted(self, member: Member, auth: Any) -> None:
        """Go on behind the CONNECT answer."""

    async def left(self, member: Member, reason: str) -> None:
        """Call the disconnect handler."""
        await self._trigger_event("disconnect", member.namespace, member.sid, reason)

    def fell_behind(self, connection: Connection, room: Room) -> bool:
        """Let a client know that it missed what came through a room; False: it cannot catch up."""
        return False

    # Packets out

    def refuse(self, connection: Connection, namespace: str, wire: Any) -> None:
        """Refuse a namespace; who goes on asking is closed."""
        self.send_packet(connection, packet.CONNECT_ERROR, namespace, wire)
        connection.attempts += 1
        if connection.attempts >= MAX_REFUSALS:
            self.eio.close(connection, Close.PROTOCOL)

    def send_packet(
        self,
        connection: Connection,
        kind: int,
        namespace: str,
        data: Any = None,
        id: int | None = None,
    ) -> None:
        """Send one packet."""
        for frame in encode(kind, namespace, data, id):
            connection.send(frame)

    async def _send_packet(self, eio_sid: str, pkt: Any) -> None:
        connection = self.eio.sockets.get(eio_sid)
        if connection is not None:
            kind = {packet.BINARY_EVENT: packet.EVENT, packet.BINARY_ACK: packet.ACK}.get(
                pkt.packet_type, pkt.packet_type
            )
            self.send_packet(connection, kind, pkt.namespace or "/", pkt.data, pkt.id)
