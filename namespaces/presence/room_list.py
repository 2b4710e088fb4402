"""Who is here of one room, and what its next event has to tell of that."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from parley.storage.models import RoomId, UserId

MAX_LISTED = 200  # members; of a larger room it is told only how many are here
_NOT_ALIKE = -1  # what was told is not the same for all

Wire = dict[str, Any]


@dataclass(slots=True, kw_only=True)
class RoomList:
    """A room that somebody on this node follows."""

    room_id: RoomId
    view: Callable[[UserId], Wire]  # of a member, as others see her
    members: set[UserId] = field(default_factory=set[UserId])
    here: set[UserId] = field(default_factory=set[UserId])  # of the members, as others see them
    followers: int = 0  # and those who are about to be
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    # What the next event has to tell
    stale: bool = True  # members have come or gone
    changed: set[UserId] = field(default_factory=set[UserId])
    whole: bool = False  # what was told before is to be forgotten
    told: int | None = None  # how many, to everybody; None: it is told who

    @property
    def is_large(self) -> bool:
        """Whether it is told only how many are here."""
        return len(self.members) > MAX_LISTED

    def told_to_one(self) -> Wire:
        """Return all there is to tell, for somebody who begins to follow."""
        if self.told != len(self.here):
            # Others hear of the difference by the next event; it may be gone by then.
            self.told = _NOT_ALIKE if self.is_large else self.told
        return self.all()

    def all(self) -> Wire:
        """Return all there is to tell: how many, and who, where they are not too many."""
        return self._counted() if self.is_large else self._counted(self.here)

    def told_to_all(self) -> Wire | None:
        """Return what there is to tell since the last time, None: nothing."""
        event = self._news()
        self.told = len(self.here) if self.is_large else None
        self.whole = False
        self.changed.clear()
        return event

    def _news(self) -> Wire | None:
        if self.is_large:
            return None if self.told == len(self.here) else self._counted()
        if self.whole or self.told is not None:
            return {**self.all(), "whole": True}
        return self._counted(self.changed) if self.changed else None

    def _counted(self, users: set[UserId] | None = None) -> Wire:
        event: Wire = {"room_id": self.room_id, "online": len(self.here)}
        if users is not None:
            event["users"] = [self.view(user_id) for user_id in sorted(users)]
        return event
