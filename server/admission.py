"""Whether somebody new is let in. Who is here already is not asked again.

Those who are turned away try the next node, by a proxy or by themselves a little later. Without
this a node that takes over from one that fell would fall next.
"""

import logging
import time
from collections.abc import Callable

from parley.server.lag import Lag

logger = logging.getLogger(__name__)

AGAIN_S = 60.0  # until the log says the same once more
FULL = 0.9  # of the most connections; the rest is for the files that are no connection


class Admission:
    """Turns new connections away while the server is being stopped, is full, or lags behind."""

    def __init__(self, *, connected: Callable[[], int], most: int | None, lag: Lag) -> None:
        """Let ``most`` connections in, of which nine tenths are used; None: any number."""
        self._connected = connected
        self._full = None if most is None else most * FULL
        self._lag = lag
        self._told: tuple[str | None, float] = (None, 0.0)
        self.draining = False

    def close(self) -> None:
        """Let nobody in any more: the server is being stopped."""
        self.draining = True

    def why_closed(self) -> str | None:
        """Return why nobody new is let in, in a sentence; None: everybody is."""
        if self.draining:
            return "the server is being stopped"
        if self._full is not None and self._connected() >= self._full:
            return "the server is full"
        if self._lag.behind:
            return "the server does not keep up"
        return None

    def refusal(self) -> str | None:
        """Return why somebody is turned away, who came just now; None: she is not."""
        why = self.why_closed()
        if why is not None:
            self._log(why)
        return why

    def _log(self, why: str) -> None:
        now = time.monotonic()
        said, until = self._told
        if why != said or now >= until:
            self._told = (why, now + AGAIN_S)
            logger.warning("nobody new is let in: %s", why)
