"""Who follows what, looked up from either side."""

from collections.abc import Hashable, Set
from typing import Generic, TypeVar

from parley.namespaces.session import Session

T = TypeVar("T", bound=Hashable)


class Follows(Generic[T]):
    """Which sockets follow which users, or rooms.

    This is who is concerned. The Socket.IO rooms are not: a socket that does not keep up is out
    of them for a while, see `catch_up`, and has to hear all the more of what is taken from it.
    """

    def __init__(self) -> None:
        self._followed: dict[Session, set[T]] = {}
        self._followers: dict[T, set[Session]] = {}

    def begin(self, session: Session) -> None:
        """Let a socket follow, nothing yet."""
        self._followed[session] = set()

    def end(self, session: Session) -> None:
        """Forget a socket that follows nothing any more."""
        self._followed.pop(session, None)

    def add(self, session: Session, subject: T) -> None:
        """Let a socket that has begun follow one more."""
        self._followed[session].add(subject)
        self._followers.setdefault(subject, set()).add(session)

    def discard(self, session: Session, subject: T) -> None:
        """Let a socket follow one less; what it does not follow is no error."""
        self._followed.get(session, set[T]()).discard(subject)
        followers = self._followers.get(subject, set[Session]())
        followers.discard(session)
        if not followers:
            self._followers.pop(subject, None)

    def __contains__(self, session: Session) -> bool:
        """Whether a socket has begun and not ended."""
        return session in self._followed

    def of(self, session: Session) -> Set[T]:
        """Return what a socket follows; nothing, if it has not begun."""
        return self._followed.get(session, frozenset[T]())

    def followers(self, subject: T) -> Set[Session]:
        """Return the sockets that follow it."""
        return self._followers.get(subject, frozenset[Session]())
