"""Where logs end, as far as this process knows it for certain.

A row may be written at p + 1 only by who knows that p is durable. That is known from an own
acknowledged write, from a majority read, and from a node that had it acknowledged; after any error
it is not known any more.
"""

import asyncio
import contextlib
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace

from parley.storage.models import Head, RoomId

MAX_HEADS = 10_000
# Beyond that a head is read before it is written on. A purge frees positions, and somebody who
# slept must not take them.
FRESH_S = 2.0
HEAR_S = 0.05  # of a row that was in the way: its node tells of it as soon as it is acknowledged


def is_older(head: Head, than: Head | None) -> bool:
    """Whether ``head`` is a lower one of the same log."""
    return than is not None and than.epoch == head.epoch and head.rev < than.rev


class KnownHeads:
    """The newest position of each log that is known to be durable."""

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Know nothing yet."""
        self._now = monotonic
        self._heads: dict[RoomId, tuple[Head, float]] = {}
        self._waiting: defaultdict[RoomId, list[asyncio.Future[None]]] = defaultdict(list)

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
        for waiting in self._waiting.pop(room_id, ()):
            if not waiting.done():
                waiting.set_result(None)

    async def beyond(self, room_id: RoomId, head: Head) -> Head | None:
        """Return a head that is fresh and behind ``head``, None if none comes within `HEAR_S`."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(HEAR_S):
                while True:
                    known = self.fresh(room_id)
                    if known is not None and known.epoch == head.epoch and known.rev > head.rev:
                        return known
                    news: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                    self._waiting[room_id].append(news)
                    await news
        return None

    def follow(self, room_id: RoomId, before: Head, rev: int) -> None:
        """Note a position that another node knows to be durable, which comes behind ``before``.

        Only where ``before`` is known, and fresh: who slept is told old positions when she wakes.
        """
        known = self.fresh(room_id)
        if known is not None and (known.epoch, known.rev) == (before.epoch, before.rev):
            self.learn(room_id, replace(known, rev=rev))

    def of(self, room_id: RoomId) -> Head | None:
        """Return what is known now; a read that begins now and finds less is too old."""
        return self._heads.get(room_id, (None, 0.0))[0]

    def is_stale(self, room_id: RoomId, head: Head) -> bool:
        """Whether ``head`` is older than what is known by now."""
        return is_older(head, self.of(room_id))

    def forget(self, room_id: RoomId) -> None:
        """Know nothing of a log any more, after an error or where storage insists."""
        self._heads.pop(room_id, None)
        self._waiting.pop(room_id, None)
