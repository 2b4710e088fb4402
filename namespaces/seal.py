"""What a node says on the bus, so that nobody else can have said it.

Whoever can write to Redis can publish on any channel; only nodes have the key, which all of them
derive from `PARLEY_CLUSTER_KEY`. What was sealed may be heard twice, late, or not at all.
"""

import hashlib
import hmac

_MAC_BYTES = 16


class Seal:
    """Puts a message authentication code (MAC) before what is said, and takes it off again."""

    def __init__(self, key: bytes) -> None:
        """Take the nodes' ``key``, of at most 64 bytes."""
        self._key = key

    def seal(self, place: bytes, said: bytes) -> bytes:
        """Return ``said`` with its MAC, for one place: no other one takes it."""
        return self._mac(place, said) + said

    def open(self, place: bytes, heard: bytes) -> bytes | None:
        """Return what was said; None: not by a node, not for this place, or it was altered."""
        mac, said = heard[:_MAC_BYTES], heard[_MAC_BYTES:]
        return said if hmac.compare_digest(mac, self._mac(place, said)) else None

    def _mac(self, place: bytes, said: bytes) -> bytes:
        # With its length, or a part of what is said could pass for the end of the place.
        begin = b"%d %b " % (len(place), place)
        mac = hashlib.blake2b(begin, key=self._key, digest_size=_MAC_BYTES)
        mac.update(said)
        return mac.digest()
