"""What every namespace says alike: scalars, and notices about the connection."""

import functools
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from parley.storage.models import Timestamp, UserId

SYSTEM = "system"
"""The event of every namespace that is about the connection and not about its subject."""


class SystemCode(StrEnum):
    """What a ``system`` event is about: its ``code``."""

    CONNECTED = "connected"  # the first event after CONNECT
    DRAINING = "draining"  # the server is being stopped, and this connection ends
    REVOKED = "revoked"  # sent away for good
    INVITED = "invited"  # somebody invites this user to a room
    JOIN_REQUESTED = "join_requested"  # somebody asks to join a room of this owner or admin
    ANNOUNCEMENT = "announcement"  # from an operator, at most once
    REJECTED = "rejected"  # an event failed whose sender had asked for no ack


def greeting(user_id: UserId, server_id: str) -> dict[str, str]:
    """Return the first event after CONNECT."""
    return {"code": SystemCode.CONNECTED, "user_id": user_id, "server_id": server_id}


def timestamp(at: Timestamp) -> str:
    """Return RFC 3339 in UTC with three decimals and ``Z``."""
    seconds, millis = divmod(at, 1000)
    return f"{_second(seconds)}.{millis:03d}Z"


@functools.lru_cache(maxsize=1_024)
def _second(seconds: int) -> str:
    # A message is shown in the second in which it was sent, to many: 1.5 us each, measured.
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}"


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a client has a log; on the wire the string ``epoch.rev``."""

    epoch: str
    rev: int

    def __str__(self) -> str:
        return f"{self.epoch}.{self.rev}"

    @classmethod
    def parse(cls, text: str) -> "Cursor":
        """Read a cursor whose form a schema has checked."""
        epoch, _, rev = text.partition(".")
        return cls(epoch, int(rev))


def moment(text: str) -> Timestamp:
    """Read what `timestamp` writes, whose form a schema has checked.

    Raises:
        ValueError: There is no such moment.
    """
    at = datetime.fromisoformat(text)
    return Timestamp(int(at.timestamp()) * 1000 + at.microsecond // 1000)
