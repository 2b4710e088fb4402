"""`FirstAndLast`: what becomes of connections, from what becomes of their sessions."""

from dataclasses import dataclass, field

from parley.namespaces.identity import Identity
from parley.namespaces.session import FirstAndLast, Session
from parley.storage.models import UserId


@dataclass
class Ledger:
    """Notes what it is told; see `SessionObserver`."""

    told: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])

    def opened(self, session: Session) -> None:
        self.told.append(("opened", session.connection_id))

    def closed(self, session: Session) -> None:
        self.told.append(("closed", session.connection_id))


def session(connection_id: str) -> Session:
    identity = Identity(user_id=UserId("alice"), expires_at=2e9)
    return Session(sid="", identity=identity, connection_id=connection_id)


def test_a_connection_is_there_from_its_first_session_to_its_last() -> None:
    ledger = Ledger()
    connections = FirstAndLast(ledger)
    chat, presence, other = session("one"), session("one"), session("two")
    connections.opened(chat)
    connections.opened(other)
    connections.opened(presence)
    connections.closed(chat)
    assert ledger.told == [("opened", "one"), ("opened", "two")]
    connections.opened(again := session("one"))
    connections.closed(presence)
    connections.closed(again)
    connections.closed(other)
    assert ledger.told[2:] == [("closed", "one"), ("closed", "two")]


def test_the_end_of_a_session_that_never_began_is_nothing() -> None:
    """She may have left before her CONNECT was answered."""
    ledger = Ledger()
    connections = FirstAndLast(ledger)
    connections.opened(chat := session("one"))
    connections.closed(session("one"))
    connections.closed(session("two"))
    assert ledger.told == [("opened", "one")]
    connections.closed(chat)
    connections.closed(chat)
    assert ledger.told == [("opened", "one"), ("closed", "one")]
