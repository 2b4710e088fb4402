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
    # Of the Engine.IO connection: its sessions in other namespaces have the same.
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


class FirstAndLast:
    """Tells an observer of connections, where it would hear of each session in each namespace.

    It hears of the first session of a connection and of the end of its last one. See
    `SessionObserver`.
    """

    def __init__(self, observer: SessionObserver) -> None:
        """Tell ``observer``; this one observes every namespace."""
        self._observer = observer
        self._sessions: dict[str, tuple[Session, ...]] = {}  # by connection

    def opened(self, session: Session) -> None:
        """See `SessionObserver`."""
        others = self._sessions.get(session.connection_id, ())
        self._sessions[session.connection_id] = (*others, session)
        if not others:
            self._observer.opened(session)

    def closed(self, session: Session) -> None:
        """See `SessionObserver`."""
        before = self._sessions.get(session.connection_id, ())
        after = tuple(each for each in before if each is not session)
        if after:
            self._sessions[session.connection_id] = after
        elif before:
            del self._sessions[session.connection_id]
            self._observer.closed(session)


Sessions = dict[str, Session]
"""The live sessions of a namespace on this node, by sid."""


def user_room(user_id: UserId) -> str:
    """Return the Socket.IO room that all sockets of a user are in."""
    return f"user:{user_id}"
