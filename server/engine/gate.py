"""The packet gate: what comes in is a whole, well-formed Socket.IO packet, or nothing."""

# pyright: standard
# (python-socketio ships without types)

from dataclasses import dataclass
from typing import Any

from socketio import packet

MAX_ATTACHMENTS = 10  # of one binary packet; stock believes any number and waits for them

_BINARY = (packet.BINARY_EVENT, packet.BINARY_ACK)
_FROM_CLIENTS = (packet.CONNECT, packet.DISCONNECT, packet.EVENT, packet.ACK, *_BINARY)


class BrokenPacket(Exception):
    """The client does not speak Socket.IO v5; its connection ends."""


@dataclass(slots=True)
class _Incomplete:
    packet: Any
    size: int


class PacketGate:
    """Puts frames together to packets, one connection at a time."""

    def __init__(self, packet_class: Any) -> None:
        self._packet_class = packet_class
        self._incomplete: dict[str, _Incomplete] = {}

    def take(self, eio_sid: str, data: str | bytes) -> tuple[Any, int] | None:
        """Return a packet and its bytes, None while attachments are missing.

        Raises:
            BrokenPacket: It is not one, or not one that a client may send.
        """
        try:
            begun = self._incomplete.get(eio_sid)
            if begun is None:
                return self._begin(eio_sid, data)
            return self._attach(eio_sid, begun, data)
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
            self.forget(eio_sid)
            raise BrokenPacket(f"{type(error).__name__}: {error!s:.80}") from error

    def forget(self, eio_sid: str) -> None:
        """Drop what a connection left unfinished."""
        self._incomplete.pop(eio_sid, None)

    def _begin(self, eio_sid: str, data: str | bytes) -> tuple[Any, int] | None:
        if isinstance(data, bytes):
            raise TypeError("an attachment of no packet")
        begun = self._packet_class(encoded_packet=data)
        kind = begun.packet_type
        if kind not in _FROM_CLIENTS:
            raise ValueError("not a packet of clients")
        if kind not in (packet.CONNECT, packet.DISCONNECT) and not isinstance(begun.data, list):
            raise ValueError("the arguments are not a list")
        if kind in (packet.ACK, packet.BINARY_ACK) and not begun.id:
            # Slot 0 of python-socketio's table is its counter.
            raise ValueError("an ack of nothing")
        size = len(data.encode())
        if kind not in _BINARY:
            return begun, size
        if not 1 <= begun.attachment_count <= MAX_ATTACHMENTS:
            raise ValueError("too many attachments, or none")
        self._incomplete[eio_sid] = _Incomplete(begun, size)
        return None

    def _attach(
        self, eio_sid: str, begun: _Incomplete, data: str | bytes
    ) -> tuple[Any, int] | None:
        if not isinstance(data, bytes):
            raise TypeError("an attachment is missing")
        begun.size += len(data)
        if not begun.packet.add_attachment(data):
            return None
        self.forget(eio_sid)
        return begun.packet, begun.size
