"""One room's part of a sync, while it is put together."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from parley.namespaces.chat.access import sees
from parley.namespaces.chat.feeds import OpenRoom
from parley.namespaces.chat.wire import message_to_wire
from parley.namespaces.wire import Cursor
from parley.storage.models import SPOKEN, UNREAD_CAP, Membership, Message, Unread

REPLY_BYTES = 262_144


class Budget:
    """Bytes left in a reply."""

    def __init__(self) -> None:
        self._left = REPLY_BYTES

    @property
    def spent(self) -> bool:
        """Whether nothing more fits."""
        return self._left <= 0

    def take(self, wire: Mapping[str, Any]) -> bool:
        """Count one event; False when it no longer fits."""
        size = len(orjson.dumps(wire))
        if size > self._left:
            self._left = 0
            return False
        self._left -= size
        return True


@dataclass(slots=True)
class RoomSync:
    """One room's part of a reply, while it is put together."""

    room: OpenRoom
    membership: Membership | None  # None: a watcher
    floor_seq: int
    upto: Cursor
    unread: Unread | None = None  # as of ``upto``
    reset: bool = False
    more: bool = False
    events: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])

    @property
    def apart(self) -> bool:
        """Whether the feed has not applied every row of the page, or the last page not its rows."""
        ahead = self.upto.rev - self.room.feed.head
        return ahead > 0 or (ahead < 0 and not self.more)

    def add(self, message: Message, budget: Budget) -> bool:
        """Take one change; False where it does not fit."""
        if not sees(self.membership, message):
            return True
        wire = message_to_wire(message)
        if not budget.take(wire) and self.events:
            return False
        self.events.pop(message.id, None)  # by rising rev, each message once
        self.events[message.id] = wire
        return True

    def meet(self, budget: Budget) -> bool:
        """Go on to the feed's position by what the feed still has; False where it has too little.

        Nothing is awaited, so a page and a feed that have met are at one position until the
        caller waits for something.
        """
        if not self.apart:
            return True
        rows = self.room.feed.since(self.upto.rev)
        if rows is None or self.more:
            return False
        if self.unread is not None and not all(map(_countable, rows)):
            return False  # count again
        for row in rows:
            if not self.add(row, budget):
                self.more = True
                return True
            self._count(row)
            self.upto = Cursor(self.upto.epoch, row.rev)
        return not self.apart

    def _count(self, row: Message) -> None:
        if self.membership is None or self.unread is None or row.rev != row.seq:
            return
        me = self.membership.user_id
        if row.type in SPOKEN and row.sender != me and row.seq > self.membership.unread_after:
            mentions = me in row.content.get("mentions", ())
            self.unread = Unread(
                count=min(self.unread.count + 1, UNREAD_CAP),
                mentions=min(self.unread.mentions + mentions, UNREAD_CAP),
            )

    def to_wire(self) -> dict[str, Any]:
        """Return the part as clients get it."""
        wire = {
            "state": "reset" if self.reset else "ok",
            "upto": str(self.upto),
            "head": max(self.room.feed.head, self.upto.rev),
            "events": list(self.events.values()),
            "more": self.more,
            "floor_seq": self.floor_seq,
        }
        if self.membership is not None and self.unread is not None:
            wire["read_seq"] = self.membership.read_seq
            wire["unread"] = self.unread.count
            wire["mentions"] = self.unread.mentions
        return wire


def _countable(row: Message) -> bool:
    """Whether a row's part in what is unread follows from the row alone."""
    # A change may have taken back a mention, or erased one.
    return row.type not in SPOKEN or (row.rev == row.seq and not row.deleted)
