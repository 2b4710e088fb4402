"""What other nodes ask this one to write: see `relay`."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from parley.namespaces.chat.feeds import RoomFeeds
from parley.namespaces.chat.relay import drafts_in
from parley.namespaces.chat.service import may_say
from parley.storage.models import Stored, Timestamp


class Relayed:
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
        # Where nobody is left to hear the room, this node is about to hear it no more.
        if room is None or room.feed.audience.is_empty:
            return 0
        waiting = [room.relayed(draft, may_say(draft, self._now)) for draft in drafts]
        outcomes = await asyncio.gather(*waiting, return_exceptions=True)
        return max((one.message.rev for one in outcomes if isinstance(one, Stored)), default=0)
