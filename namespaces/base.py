"""The one door: every event of every client comes in here and gets its ack here.

A namespace is a table: event → schema → handler. The door looks the event up, checks the
payload, calls the handler and answers ``{ok: true, data}`` or ``{ok: false, error}``, never
silence. What a handler may raise is in `parley.namespaces.errors`; anything else becomes
``internal`` and a log line.

Only `BaseNamespace` knows Socket.IO; the table (`parley.namespaces.table`) can serve other edges.
"""

# pyright: standard
# (python-socketio and python-engineio ship without types)

import logging
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, cast

import socketio
from socketio.exceptions import ConnectionRefusedError as Refused

from parley.namespaces.errors import (
    ClientError,
    Draining,
    IdentityMismatch,
    Invalid,
    TooLarge,
    Unauthorized,
    UnknownEvent,
    as_client_error,
)
from parley.namespaces.identity import Authenticator, Identity
from parley.namespaces.mailbox import Second
from parley.namespaces.plain import check_plain, printable
from parley.namespaces.promise import Promise
from parley.namespaces.session import Session, SessionObserver, Sessions
from parley.namespaces.shapes import Said
from parley.namespaces.table import Answer, Event, Later, collect
from parley.namespaces.transport import Close, Transport
from parley.namespaces.wire import SYSTEM, SystemCode

logger = logging.getLogger(__name__)

MAX_EVENT_BYTES = 65_536
_KNOWN = "parley.identity"  # where a connection's environ keeps its first token and identity
_ID = "parley.connection_id"  # and what its sessions in all namespaces have in common

Ack = dict[str, Any]
Reply = Callable[[Ack], None]


@dataclass(slots=True)
class _Asked:
    """One event that a client sent."""

    session: Session
    name: str
    args: list[Any]  # with its name
    size: int
    reply: Reply | None


class BaseNamespace(socketio.AsyncNamespace):  # type: ignore[misc]  # socketio is untyped
    """A namespace's sessions and its table of events."""

    events: ClassVar[Mapping[str, Event]] = {}
    notices: ClassVar[Mapping[str, Said]] = {}  # what the server sends by itself; for documents

    def __init_subclass__(cls) -> None:
        """Collect the methods marked with `handles`."""
        cls.events = collect(cls)

    def __init__(
        self,
        namespace: str,
        *,
        authenticate: Authenticator,
        transport: Transport,
        sessions: Sessions,
    ) -> None:
        super().__init__(namespace)
        self.transport = transport
        self.sessions = sessions
        self._authenticate = authenticate
        self._observers: list[SessionObserver] = []
        self._draining = False

    def observe(self, observer: SessionObserver) -> None:
        """Tell somebody of every session that begins from now on, and of its end."""
        self._observers.append(observer)

    # What a namespace adds.

    async def connected(self, session: Session, auth: Mapping[str, Any]) -> None:
        """Go on after the CONNECT answer has left; `Session.closed` tells if she left too."""

    async def disconnected(self, session: Session) -> None:
        """Clean up; called once for every session that `connected` was called for."""

    def fell_behind(self, sid: str, room: str) -> bool:
        """Tell a socket that it missed what came through a room, which it is to leave.

        Frames of the room were dropped, because the socket does not keep up. False: it could
        not catch up, so its connection ends.
        """
        return False

    # The life of a socket. Called by server.engine.

    async def trigger_event(self, event: str, *args: Any) -> None:
        """Take python-socketio's connect and disconnect; nothing a client names gets here."""
        if event == "connect":
            sid, environ, *auth = args
            self._connect(sid, environ, auth[0] if auth else None)
        elif event == "disconnect":
            await self._disconnect(args[0])

    def _connect(self, sid: str, environ: dict[str, Any], auth: Any) -> None:
        """Authenticate, in memory and without waiting, so that nobody leaves in between."""
        try:
            if not isinstance(auth, dict | None):
                raise Invalid.at("", "auth must be an object")
            identity = self._identify(environ, auth)
            self.check_auth(auth or {})
        except ClientError as error:
            # A refusal is final for stock clients, so only what no retry cures comes here.
            wire = error.to_wire()
            wire.pop("message")
            raise Refused(str(error), wire) from error
        connection_id = environ.setdefault(_ID, secrets.token_hex(8))
        self.sessions[sid] = Session(sid=sid, identity=identity, connection_id=connection_id)

    def _identify(self, environ: dict[str, Any], auth: Any) -> Identity:
        known: tuple[str, Identity] | None = environ.get(_KNOWN)
        token = _token(environ, auth)
        if known is not None and token in (None, known[0]):
            return known[1]
        if token is None:
            raise Unauthorized("no token: send it as auth.token")
        identity = self._authenticate(token)
        if known is not None and known[1].user_id != identity.user_id:
            raise IdentityMismatch(f"this connection belongs to {known[1].user_id}")
        environ[_KNOWN] = (token, identity)
        return identity

    def check_auth(self, auth: Mapping[str, Any]) -> None:
        """Raise `Invalid` for what else is in ``auth`` and cannot be right."""

    async def _disconnect(self, sid: str) -> None:
        session = self.sessions.pop(sid, None)
        if session is not None:
            session.closed = True
            logger.info("disconnected", extra=session.log_fields("disconnect"))
            for observer in self._observers:
                observer.closed(session)
            await self.disconnected(session)

    async def admitted(self, sid: str, auth: Any) -> None:
        """Start a session whose CONNECT answer has just left."""
        session = self.sessions[sid]
        logger.info("connected", extra=session.log_fields("connect"))
        for observer in self._observers:
            observer.opened(session)
        try:
            await self.connected(session, auth or {})
        except Exception as exc:
            # Not a refusal: stock clients never come back from one, and a retry may cure this.
            code = as_client_error(exc).code
            self.transport.close(sid, _COME_BACK.get(code, Close.OVERLOADED))

    # The life of an event.

    def receive(self, session: Session, args: list[Any], *, size: int, reply: Reply | None) -> None:
        """Put one event into its socket's mailbox; it may be handled when this returns.

        Args:
            args: The event's name and its arguments, as they came.
            size: Bytes of the encoded event.
            reply: Sends the ack; None if the client asked for none.
        """
        name = printable(args[0]) if args and isinstance(args[0], str) else ""
        event = self.events.get(name)
        overlaps = event is not None and event.overlaps
        asked = _Asked(session, name, args, size, reply)
        session.mailbox.put(self._handle, asked, event, overlaps=overlaps)

    async def _handle(self, asked: _Asked, event: Event | None) -> Second | None:
        try:
            if self._draining:
                raise Draining
            if asked.size > MAX_EVENT_BYTES:
                raise TooLarge(f"the event is larger than {MAX_EVENT_BYTES} bytes")
            if event is None:
                raise UnknownEvent(f"no event {asked.name[:64]!r} in {self.namespace}")
            data = await event.method(self, asked.session, _load(event, asked.args))
        except Exception as exc:
            self._answer(asked, _failure(exc))
            return None
        if isinstance(data, Later):
            return Second(data.data.future, partial(self._finish, asked, data.data))
        if isinstance(data, Answer):
            self._answer(asked, {"ok": True, "data": data.data})
            # No await between the ack and this: a hand-over from sync to live depends on it.
            data.then()
            if asked.reply is not None and data.acked is not None:
                data.acked()
        else:
            self._answer(asked, {"ok": True, "data": data})
        return None

    def _finish(self, asked: _Asked, later: Promise[Any]) -> None:
        try:
            ack: Ack = {"ok": True, "data": later.result()}
        except Exception as exc:
            ack = _failure(exc)
        self._answer(asked, ack)

    def _answer(self, asked: _Asked, ack: Ack) -> None:
        if asked.reply is not None:
            try:
                asked.reply(ack)
            except (TypeError, ValueError) as exc:  # what a handler returned is not JSON
                asked.reply(_failure(exc))
        elif not ack["ok"]:
            notice = {"code": SystemCode.REJECTED, "event": asked.name[:64], "error": ack["error"]}
            self.transport.send(asked.session.sid, SYSTEM, notice)

    async def drain(self) -> None:
        """Refuse new events and wait until those that came are answered."""
        self._draining = True
        for session in list(self.sessions.values()):
            await session.mailbox.idle()


_COME_BACK = {"unavailable": Close.UNAVAILABLE, "draining": Close.DRAINING}


def _failure(exc: Exception) -> Ack:
    return {"ok": False, "error": as_client_error(exc).to_wire()}


def _load(event: Event, args: list[Any]) -> Any:
    # The fast form takes most; what it does not take, the schema decides and words.
    loaded = event.fast(args[1]) if event.fast and len(args) == 2 else None  # noqa: PLR2004
    return event.schema.load(_payload(args[1:])) if loaded is None else loaded


def _payload(args: list[Any]) -> Any:
    if len(args) > 1:
        raise Invalid.at("", f"one object is expected, not {len(args)} arguments")
    payload = args[0] if args else {}
    if not isinstance(payload, dict):
        raise Invalid.at("", "an object is expected")
    check_plain(payload)
    return cast("dict[str, Any]", payload)


def _token(environ: Mapping[str, Any], auth: Any) -> str | None:
    token = auth.get("token") if isinstance(auth, dict) else None
    if token is None:
        scheme, _, value = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
        return value.strip() if scheme.lower() == "bearer" else None
    if not isinstance(token, str):
        raise Unauthorized("auth.token must be a string")
    return token
