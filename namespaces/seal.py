"""What a node says on the bus, so that nobody else can have said it.

Whoever can write to Redis can publish on any channel; only nodes have the key, which all of them
derive from `PARLEY_CLUSTER_KEY`. What was sealed may be heard twice, late, or not at all.
"""

import hashlib
import hmac

_CODE_BYTES = 16


class Seal:
    """Puts a code in front of what is said, and takes it off what is heard."""

    def __init__(self, key: bytes) -> None:
        """Take the nodes' ``key``, of at most 64 bytes."""
        self._key = key

    def on(self, place: bytes, said: bytes) -> bytes:
        """Return ``said`` with its code, for one place: no other one takes it."""
        return self._code(place, said) + said

    def off(self, place: bytes, heard: bytes) -> bytes | None:
        """Return what was said; None: not by a node, not for this place, or it was altered."""
        code, said = heard[:_CODE_BYTES], heard[_CODE_BYTES:]
        return said if hmac.compare_digest(code, self._code(place, said)) else None

    def _code(self, place: bytes, said: bytes) -> bytes:
        code = hashlib.blake2b(place, key=self._key, digest_size=_CODE_BYTES)
        code.update(b" ")
        code.update(said)
        return code.digest()
