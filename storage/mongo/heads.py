"""Where logs end, as far as this process knows it for certain.

A row may be written at p + 1 only by who knows that p is durable. That is known from an own
acknowledged write and from a majority read; after any error it is not known any more.
"""

import time
from collections.abc import Callable

from parley.storage.models import Head, RoomId

MAX_HEADS = 10_000
# Beyond that a head is read before it is written on. A purge frees positions, and somebody who
# slept must not take them.
FRESH_S = 2.0


class KnownHeads:
    """The newest position of each log that is known to be durable."""

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Know nothing yet."""
        self._now = monotonic
        self._heads: dict[RoomId, tuple[Head, float]] = {}

    def fresh(self, room_id: RoomId) -> Head | None:
        """Return a head that may be written on without asking; ``log_floor`` may be lower."""
        head, known_at = self._heads.get(room_id, (None, 0.0))
        return head if head is not None and self._now() - known_at < FRESH_S else None

    def learn(self, room_id: RoomId, head: Head) -> None:
        """Note a durable position; never a lower one of the same log."""
        if self.is_stale(room_id, head):
            return
        if len(self._heads) >= MAX_HEADS and room_id not in self._heads:
            self._heads.clear()
        self._heads[room_id] = (head, self._now())

    def is_stale(self, room_id: RoomId, head: Head) -> bool:
        """Whether a read that found ``head`` is older than what is known already."""
        known, _ = self._heads.get(room_id, (None, 0.0))
        return known is not None and known.epoch == head.epoch and head.rev < known.rev

    def forget(self, room_id: RoomId) -> None:
        """Know nothing of a log any more, after an error or where storage insists."""
        self._heads.pop(room_id, None)
