"""Compression on WebSockets (RFC 7692), without a memory of what was sent before.

With the usual context each connection would need a compressor of its own, and every member of a
room would pay for the same message again. Without it a frame is compressed once for all.
"""

import functools
import re
import zlib

from parley.server.engine import frames

ANSWER = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"

WORTH_IT = 256  # bytes of a frame; smaller ones hardly shrink
_COMPRESSED = 0x40  # the bit of a frame's first byte that says so
_TAIL = b"\x00\x00\xff\xff"  # ends what was flushed, and is left out (section 7.2.1)

# An offer that names a smaller window for us is not taken up.
_OFFER = re.compile(r"(?:^|,)\s*permessage-deflate(?![^,]*server_max_window_bits)[^,]*(?:,|$)")


def is_offered(extensions: str) -> bool:
    """Whether a client takes what `ANSWER` says."""
    return _OFFER.search(extensions) is not None


def joined(sent: list[bytes]) -> bytes:
    """Return frames as they go to a client that takes compressed ones."""
    return b"".join(map(_deflated, sent))


@functools.lru_cache(maxsize=256)
def _deflated(frame: bytes) -> bytes:
    if len(frame) < WORTH_IT:
        return frame
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    payload = compressor.compress(frames.payload_of(frame)) + compressor.flush(zlib.Z_SYNC_FLUSH)
    return frames.framed(payload.removesuffix(_TAIL), frame[0] | _COMPRESSED)
