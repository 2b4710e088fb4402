"""WebSocket frames as a server sends them, and what an Engine.IO packet is on each transport.

A server's frames are not masked (RFC 6455, section 5.1), so a packet that goes to many is framed
once. A frame is also the form in which packets wait in an outbox: long polling turns it back.
"""

import base64
from collections.abc import Iterable

TEXT = 0x81  # the last frame of a message, and its opcode
BINARY = 0x82
CLOSE = 0x88
PONG = 0x8A

# The second byte is the length, or says that so many bytes follow with it.
_IN_TWO_BYTES = 126
_IN_EIGHT_BYTES = 127
_MAX_IN_TWO_BYTES = 65_535
_HEADS = {_IN_TWO_BYTES: 4, _IN_EIGHT_BYTES: 10}  # bytes before the payload; else 2

SEPARATOR = b"\x1e"  # between the packets of a polling body

PING = b"\x81\x012"  # Engine.IO's, a text of one digit; likewise the following
PROBE_ANSWER = b"\x81\x063probe"
NOOP = b"\x81\x016"


def framed(payload: bytes, kind: int = TEXT) -> bytes:
    """Return a payload as one frame."""
    length = len(payload)
    if length < _IN_TWO_BYTES:
        return bytes((kind, length)) + payload
    if length <= _MAX_IN_TWO_BYTES:
        return bytes((kind, _IN_TWO_BYTES)) + length.to_bytes(2, "big") + payload
    return bytes((kind, _IN_EIGHT_BYTES)) + length.to_bytes(8, "big") + payload


def closing(code: int, reason: str) -> bytes:
    """Return the frame that ends a connection (section 5.5.1)."""
    return framed(code.to_bytes(2, "big") + reason.encode()[:123], CLOSE)


def polling_body(frames: Iterable[bytes]) -> bytes:
    """Return the body that carries the packets of these frames."""
    return SEPARATOR.join(map(_polling_packet, frames))


def payload_of(frame: bytes) -> bytes:
    """Return what a frame carries."""
    return frame[_HEADS.get(frame[1], 2) :]


def _polling_packet(frame: bytes) -> bytes:
    payload = payload_of(frame)
    return payload if frame[0] == TEXT else b"b" + base64.b64encode(payload)


def packets_of(body: bytes) -> list[tuple[bytes, bool]]:
    """Return the packets of a polling body, each with whether it is a message of bytes.

    Raises:
        ValueError: It is not UTF-8, or what should be base64 is not.
    """
    body.decode()  # for what it raises; packets are looked at as bytes
    packets: list[tuple[bytes, bool]] = []
    for packet in body.split(SEPARATOR):
        if packet[:1] == b"b":
            packets.append((base64.b64decode(packet[1:], validate=True), True))
        else:
            packets.append((packet, False))
    return packets
