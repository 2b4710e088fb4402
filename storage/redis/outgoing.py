"""What waits for a server: a bounded queue of hints."""

import logging
from collections import deque

logger = logging.getLogger(__name__)

MAX_WAITING = 10_000  # hints
MAX_BYTES = 8 * 1_048_576


class Outgoing:
    """Hints in their order; where there is no room for one more, the oldest go."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[bytes, bytes]] = deque()
        self._bytes = 0
        self._told = False  # of the outage that goes on

    def put(self, channel: bytes, payload: bytes) -> None:
        """Add one hint."""
        self._waiting.append((channel, payload))
        self._bytes += len(payload)
        while len(self._waiting) > MAX_WAITING or self._bytes > MAX_BYTES:
            self._bytes -= len(self._waiting.popleft()[1])
            if not self._told:
                logger.warning(
                    "more hints wait for Redis than there is room for: the oldest are dropped"
                )
                self._told = True

    def take(self) -> list[tuple[bytes, bytes]]:
        """Return what waits and keep none of it."""
        taken = list(self._waiting)
        self._waiting.clear()
        self._bytes = 0
        self._told = False
        return taken
