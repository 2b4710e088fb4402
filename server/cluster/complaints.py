"""Log lines about what is dropped: who floods the channel does not flood the log."""

import asyncio
import logging

logger = logging.getLogger(__name__)

QUIET_S = 1.0  # between two lines


class Complaints:
    """Says how many messages were dropped, and why the last one."""

    def __init__(self) -> None:
        self._dropped = 0  # since the last line
        self._why = ""
        self._pause: asyncio.TimerHandle | None = None

    def note(self, why: str) -> None:
        """Count one; it is said at once, or when the pause after the last line is over."""
        self._dropped += 1
        self._why = why
        if self._pause is None:
            self._say()

    def close(self) -> None:
        """Count no more; what was not said yet is not."""
        if self._pause is not None:
            self._pause.cancel()
            self._pause = None

    def _say(self) -> None:
        self._pause = None
        if self._dropped:
            logger.warning("dropped %d of Redis's messages; the last: %s", self._dropped, self._why)
            self._dropped = 0
            self._pause = asyncio.get_running_loop().call_later(QUIET_S, self._say)
