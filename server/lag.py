"""Whether the event loop keeps up with what it has to do."""

import asyncio

PROBE_S = 0.1  # between looks; one costs some microseconds
IN_A_ROW = 3  # looks that come late: one alone is a pause, such as the garbage collector's


class Lag:
    """Measures how late a task goes on that had nothing to do but wait."""

    def __init__(self, limit_s: float) -> None:
        """Begin to look with `forever`; until then it is not behind."""
        self._limit_s = limit_s
        self._late = 0  # looks in a row

    @property
    def behind(self) -> bool:
        """Whether it is late by more than the limit, and not only once."""
        return self._late >= IN_A_ROW

    async def forever(self) -> None:
        """Look again and again."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + PROBE_S
            await asyncio.sleep(PROBE_S)
            self._late = self._late + 1 if loop.time() - due > self._limit_s else 0
