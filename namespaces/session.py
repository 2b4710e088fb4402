"""One client in one namespace, from CONNECT to disconnect."""

import secrets
from dataclasses import dataclass, field
from typing import Protocol

from parley.namespaces.identity import Identity
from parley.namespaces.mailbox import Mailbox
from parley.storage.models import UserId


@dataclass(slots=True, kw_only=True, eq=False, weakref_slot=True)
class Session:
    """What the door knows about one socket; handlers get it with every event."""

    sid: str  # Socket.IO's id of this client in this namespace
    identity: Identity
    connection_id: str = field(default_factory=lambda: secrets.token_hex(8))
    mailbox: Mailbox = field(default_factory=Mailbox)
    closed: bool = False  # a handler that waited must not put a closed socket anywhere

    @property
    def user_id(self) -> UserId:
        """Return whose socket it is."""
        return self.identity.user_id

    def log_fields(self, action: str) -> dict[str, str]:
        """Return what a log line about this socket carries."""
        return {
            "action": action,
            "user_id": self.user_id,
            "connection_id": self.connection_id,
        }


class SessionObserver(Protocol):
    """Hears of every session that begins and ends, at once and without waiting."""

    def opened(self, session: Session) -> None:
        """Take note of a session whose CONNECT answer has left."""
        ...

    def closed(self, session: Session) -> None:
        """Take note of its end; perhaps she left before `opened` was called."""
        ...


Sessions = dict[str, Session]
"""The live sessions of a namespace on this node, by sid."""


def user_room(user_id: UserId) -> str:
    """Return the Socket.IO room that all sockets of a user are in."""
    return f"user:{user_id}"
