"""Records of who is here: connections, what devices say of themselves, and what it adds up to."""

from dataclasses import dataclass
from enum import StrEnum

from parley.storage.models import Timestamp, UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """One live connection of one user."""

    id: str  # 16 hex
    user_id: UserId
    server_id: str
    connected_at: Timestamp
    hears_chat: bool = False  # it has joined `/chat`


class Status(StrEnum):
    """How somebody is, on one device or all in all."""

    ONLINE = "online"
    BUSY = "busy"
    AWAY = "away"
    OFFLINE = "offline"


PRECEDENCE = (Status.ONLINE, Status.BUSY, Status.AWAY)
"""A user is the first of these that one of her devices is, or offline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """One connection of a user, and what it reported of itself.

    None is what it has not reported; an empty text takes back what was there before.
    """

    id: str  # of its connection, 16 hex
    user_id: UserId
    server_id: str  # the node that holds it
    since: Timestamp
    status: Status | None = None  # None counts as online
    name: str | None = None  # what it calls itself: ``phone``
    location: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence:
    """A user as she is at this moment, whoever may see it."""

    user_id: UserId
    devices: tuple[Device, ...]  # connected, or within their grace; oldest first
    invisible: bool
    as_of: int  # when she was looked at, in microseconds; each later change is above it
    changed_at: Timestamp | None  # None: no device

    @property
    def status(self) -> Status:
        """Return what her devices are together."""
        if len(self.devices) == 1:
            return self.devices[0].status or Status.ONLINE
        said = {device.status or Status.ONLINE for device in self.devices}
        return next((status for status in PRECEDENCE if status in said), Status.OFFLINE)

    @property
    def is_shown(self) -> bool:
        """Whether others may know that she is here."""
        return bool(self.devices) and not self.invisible


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """What had come due in the store of presence, and is done now."""

    changed: frozenset[UserId]  # whose presence is another one
    left: frozenset[UserId]  # who was shown, and is no more
    wait_s: float  # until it is worth asking again
