"""Rooms and fan-out on this node, in order and without a task per recipient."""

# pyright: standard
# (python-socketio and python-engineio ship without types)

from collections.abc import Collection
from typing import Any

import socketio
from engineio import packet as engine_packet
from socketio import packet


class LocalManager(socketio.AsyncManager):  # type: ignore[misc]  # socketio is untyped
    """Socket.IO's room model with an `emit` that never waits.

    Stock `emit` makes a task per recipient, so two broadcasts may reach a socket in either
    order, and a reply may overtake a broadcast. Here a packet is encoded once and put into
    each socket's queue before the call returns.

    Private seams: ``rooms[namespace][room]`` is a bidict sid → eio_sid; an Engine.IO socket has
    a ``queue`` of packets and ``closed``.
    """

    server: Any

    def deliver(
        self,
        namespace: str,
        event: str,
        data: Any,
        *,
        room: str,
        skip: Collection[str] = (),
    ) -> None:
        """Put one event into the queue of every socket in ``room``, except ``skip``."""
        members = self.rooms.get(namespace, {}).get(room)
        if not members:
            return
        encoded = self.server.packet_class(
            packet.EVENT, namespace=namespace, data=[event, data]
        ).encode()
        frame = engine_packet.Packet(engine_packet.MESSAGE, encoded)
        sockets = self.server.eio.sockets
        for sid, eio_sid in members.items():
            socket = sockets.get(eio_sid)
            if socket is not None and not socket.closed and sid not in skip:
                socket.queue.put_nowait(frame)

    def put(self, eio_sid: str, encoded: str) -> None:
        """Put one encoded Socket.IO packet without attachments into a socket's queue."""
        socket = self.server.eio.sockets.get(eio_sid)
        if socket is not None and not socket.closed:
            frame = engine_packet.Packet(engine_packet.MESSAGE, encoded)
            socket.queue.put_nowait(frame)

    async def emit(
        self,
        event: str,
        data: Any,
        namespace: str,
        room: Any = None,
        skip_sid: Any = None,
        callback: Any = None,
        to: Any = None,
        **options: Any,
    ) -> None:
        """See `socketio.AsyncManager.emit`; in order with `deliver` where it is one event."""
        target = to or room
        if callback is not None or not isinstance(target, str) or isinstance(data, tuple | bytes):
            await super().emit(
                event, data, namespace, room=room, skip_sid=skip_sid, callback=callback, to=to
            )
            return
        skip = skip_sid if isinstance(skip_sid, list) else [skip_sid]
        self.deliver(namespace, event, data, room=target, skip=skip)
