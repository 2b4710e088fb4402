"""What other nodes ask this one to write: see `relay`."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from parley.namespaces.chat.feed import RoomFeed
from parley.namespaces.chat.feeds import RoomFeeds
from parley.namespaces.chat.relay import drafts_in
from parley.namespaces.chat.service import may_say
from parley.namespaces.chat.write_queue import Check
from parley.namespaces.errors import Unavailable
from parley.storage.models import Draft, Outcome, Stored, Timestamp

OLD_MS = 5_000  # since a message was sent: by now its sender may have been told that it is refused


class RelayedWrites:
    """Writes for other nodes."""

    def __init__(self, *, feeds: RoomFeeds, now: Callable[[], Timestamp]) -> None:
        self._feeds = feeds
        self._now = now

    async def store(self, said: Mapping[str, Any]) -> int:
        """Store messages in their order; return the position of the last one, 0 if there is none.

        What is not stored its node tries itself, and learns why not.
        """
        room_id, drafts = drafts_in(said)
        room = self._feeds.following(room_id)
        # Where nobody is left to hear the room, this node is about to hear it no more. And of two
        # that ask one another each would wait for the other.
        if room is None or room.feed.audience.is_empty or room.lane.is_asking:
            return 0
        waiting: list[asyncio.Future[Outcome]] = []
        for draft in drafts:
            waiting.append(room.append(draft, self._check(draft, list(waiting)), here=True))
        outcomes = await asyncio.gather(*waiting, return_exceptions=True)
        return max((one.message.rev for one in outcomes if isinstance(one, Stored)), default=0)

    def _check(self, draft: Draft, before: Sequence[asyncio.Future[Outcome]]) -> Check:
        """Return what a message has to pass at its position."""
        allowed = may_say(draft, self._now)

        def check(feed: RoomFeed) -> None:
            # By two clocks: where they differ, nodes write by themselves.
            if self._now() - draft.created_at > OLD_MS:
                raise Unavailable
            # One that failed goes back to its node, and what was said after it shall not be first.
            if any(each.done() and each.exception() is not None for each in before):
                raise Unavailable
            allowed(feed)

        return check
