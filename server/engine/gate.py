"""The packet gate: what comes in is a whole, well-formed Socket.IO packet, or nothing.

Written from the protocol (docs/socket.io-protocol in the socketio/socket.io repository, version
5). What python-socketio's own decoder believes is not believed here: any number of attachments,
placeholders of attachments that are not there, an ack of nothing.
"""

import functools
import re
from dataclasses import dataclass
from typing import Any

from socketio import packet

from parley.server.engine.connection import Connection
from parley.server.engine.wire_json import WireJSON

MAX_ATTACHMENTS = 10  # of one binary packet; stock believes any number and waits for them

_BINARY = (packet.BINARY_EVENT, packet.BINARY_ACK)
EVENTS = (packet.EVENT, packet.BINARY_EVENT)
_ACKS = (packet.ACK, packet.BINARY_ACK)
_EVENT = b"%d" % packet.EVENT
_SHAPE = re.compile(
    rb"([0-356])"  # the type; 4, a refusal, is the server's
    rb"(?:([0-9]{1,3})-)?"  # attachments
    rb"(?:(/[^,]{0,256})(?:,|\Z))?"  # the namespace, no longer than any needs
    rb"([0-9]{1,16})?",  # the id of an ack
)


class BrokenPacket(Exception):
    """The client does not speak Socket.IO v5; its connection ends."""


@dataclass(slots=True)
class Packet:
    """A Socket.IO packet that a client sent."""

    kind: int
    namespace: str
    id: int | None
    data: Any  # of an event or ack: a list; of CONNECT: an object or None
    size: int  # bytes, attachments included
    missing: int = 0  # attachments
    attachments: list[bytes] | None = None


def take(connection: Connection, data: bytes, *, binary: bool) -> Packet | None:
    """Return the packet that a message makes whole, None while attachments are missing.

    Raises:
        BrokenPacket: It is not one, or not one that a client may send.
    """
    begun: Packet | None = connection.incomplete
    try:
        if begun is not None:
            return _attach(connection, begun, data, binary=binary)
        if binary:
            raise ValueError("an attachment of no packet")
        begun = _begin(data)
    except (ValueError, TypeError, LookupError, RecursionError) as error:
        connection.incomplete = None
        raise BrokenPacket(f"{type(error).__name__}: {error!s:.80}") from error
    if not begun.missing:
        return begun
    connection.incomplete = begun
    return None


def _begin(data: bytes) -> Packet:
    shape = _SHAPE.match(data)
    if shape is None:
        raise ValueError("not a packet of clients")
    digit, count, namespace, id = shape.groups()
    rest = data[shape.end() :]
    begun = Packet(
        digit[0] - 48,
        "/" if namespace is None else _name(namespace),
        None if id is None else int(id),
        WireJSON.loads(rest) if rest else None,
        len(data),
        0 if count is None else int(count),
    )
    if count is not None or digit != _EVENT or type(begun.data) is not list:  # what nearly all are
        _check(begun, attached=count is not None)
    return begun


def _check(begun: Packet, *, attached: bool) -> None:
    kind, data = begun.kind, begun.data
    if attached is not (kind in _BINARY) or begun.missing > MAX_ATTACHMENTS:
        raise ValueError("too many attachments, or none")
    if attached and not begun.missing:
        raise ValueError("attachments that are none")
    if kind in EVENTS:
        if not isinstance(data, list):
            raise ValueError("the arguments are not a list")
    elif kind in _ACKS:
        # Slot 0 of python-socketio's table is its counter.
        if not isinstance(data, list) or not begun.id:
            raise ValueError("an ack of nothing")
    elif kind == packet.DISCONNECT and data is not None:
        raise ValueError("more than belongs there")


@functools.lru_cache(maxsize=256)
def _name(namespace: bytes) -> str:
    # A query behind it is of old clients, and means nothing.
    return namespace.partition(b"?")[0].decode()


def _attach(connection: Connection, begun: Packet, data: bytes, *, binary: bool) -> Packet | None:
    if not binary:
        raise ValueError("an attachment is missing")
    begun.size += len(data)
    begun.attachments = [*(begun.attachments or ()), data]
    begun.missing -= 1
    if begun.missing:
        return None
    connection.incomplete = None
    begun.data = _filled(begun.data, begun.attachments)
    return begun


def _filled(data: Any, attachments: list[bytes]) -> Any:
    """Put attachments in their places."""
    if isinstance(data, list):
        return [_filled(item, attachments) for item in data]
    if not isinstance(data, dict):
        return data
    if data.get("_placeholder") is not True:
        return {key: _filled(value, attachments) for key, value in data.items()}
    number = data.get("num")
    if type(number) is not int or not 0 <= number < len(attachments):
        raise ValueError("a place for an attachment that is not there")
    return attachments[number]
