"""What a namespace needs of the transport below it; `server.engine` provides it."""

from collections.abc import Collection
from enum import Enum
from typing import Any, Protocol


class Close(Enum):
    """How a WebSocket ends: code, reason. After all but the last a client should come back."""

    PROTOCOL = (1002, "protocol")
    TOO_LARGE = (1009, "too_large")
    DRAINING = (1012, "draining")
    UNAVAILABLE = (1013, "unavailable")
    OVERLOADED = (1013, "overloaded")
    SLOW = (1013, "slow")
    SILENT = (1001, "silent")  # no answer to a heartbeat
    IDLE = (1001, "idle")  # no namespace joined in time
    LEFT = (1000, "left")  # the client asked for it
    EXPELLED = (1008, "expelled")


class Transport(Protocol):
    """One namespace's sockets on this node.

    Nothing here waits (but `drained`): a frame is in the socket's outbox when a call returns,
    so what is sent in one step of the event loop arrives in that order, with nothing between.
    """

    def send(
        self,
        sid: str,
        event: str,
        data: Any,
        *,
        through: str | None = None,
        ephemeral: bool = False,
    ) -> None:
        """Send to one socket; one that is gone is not an error.

        Args:
            through: The room in which this is the socket's form of what all hear: it may be lost
                like what is `broadcast` there.
            ephemeral: It may be lost where a socket does not keep up.
        """
        ...

    def broadcast(
        self,
        room: str,
        event: str,
        data: Any,
        *,
        also: str | None = None,
        skip: Collection[str] = (),
        ephemeral: bool = False,
    ) -> None:
        """Send to every socket in ``room`` on this node, except those in ``skip``.

        What is not ephemeral may be lost all the same where a socket does not keep up, but then
        `BaseNamespace.fell_behind` is told, in the same step.

        Args:
            also: Another room whose sockets are to get it, none of which is in ``room``.
        """
        ...

    def enter(self, sid: str, room: str) -> None:
        """Put a socket into a room; one that is gone is not an error."""
        ...

    def leave(self, sid: str, room: str) -> None:
        """Take a socket out of a room; one that is not in it is not an error."""
        ...

    def sockets(self, room: str) -> Collection[str]:
        """Return the sockets of a room on this node, as of now."""
        ...

    async def drained(self, sid: str) -> None:
        """Wait until the socket's outbox is half empty or the socket is gone."""
        ...

    def close(self, sid: str, how: Close) -> None:
        """End the connection so that a stock client comes back by itself."""
        ...
