"""The client's rule for the inbox (docs/protocol.md), as a client would write it."""

from dataclasses import dataclass, field
from typing import Any

Wire = dict[str, Any]


@dataclass
class Inbox:
    """What a client has of its user's inbox."""

    cursor: str | None = None
    syncing: bool = True
    known: dict[str, Wire] = field(default_factory=dict[str, Wire])  # also what has ended
    since: int = 0  # it has every change after this position
    overlaps: int = 0  # live events that it had from a sync

    @property
    def rev(self) -> int:
        """Return the position of the cursor."""
        return -1 if self.cursor is None else int(self.cursor.partition(".")[2])

    def notified(self, event: Wire) -> bool:
        """Take an event; False: something is missing, so sync."""
        if self.syncing:
            self._apply(event)
            return True
        if event["rev"] <= self.rev:
            self.overlaps += 1
            return True
        if event.get("prev", event["rev"] - 1) > self.rev:
            self.syncing = True
            return False
        self._apply(event)
        self._move(event["rev"])
        return True

    def behind(self) -> bool:
        """Take ``inbox_behind``; False: sync."""
        missed, self.syncing = not self.syncing, True
        return not missed

    def synced(self, part: Wire) -> bool:
        """Take a part of a sync; False: there is more, so sync."""
        rev = int(part["upto"].partition(".")[2])
        if part["state"] == "reset":
            self.known.clear()
        if part["state"] == "reset" or self.cursor is None:
            self.since = rev
        for event in part["events"]:
            self._apply(event)
        self.cursor = part["upto"]
        self.syncing = bool(part["more"])
        return not part["more"]

    def lost(self) -> None:
        """Take note that the connection is lost."""
        self.syncing = True

    def listed(self) -> list[Wire]:
        """Return what it shows, newest first."""
        kept = [event for event in self.known.values() if "deleted" not in event]
        return sorted(kept, key=lambda event: -event["seq"])

    def _move(self, rev: int) -> None:
        assert self.cursor is not None
        self.cursor = f"{self.cursor.partition('.')[0]}.{rev}"

    def _apply(self, event: Wire) -> None:
        kept = self.known.get(event["id"])
        if kept is None or kept["rev"] < event["rev"]:
            self.known[event["id"]] = {k: v for k, v in event.items() if k != "prev"}
