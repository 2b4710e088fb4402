"""Stock Socket.IO clients with what a test needs around them: acks, waiting, a record."""

import asyncio
import itertools
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Self, cast

import socketio
from socketio.exceptions import BadNamespaceError

from tests.shapes import hold_ack, hold_event

WAIT_S = 20.0  # for one answer; generous, because tests share a small machine
_serial = itertools.count(1)

Reply = asyncio.Future[dict[str, Any]]


class Refused(Exception):
    """An ack said no; carries the error body."""

    def __init__(self, error: Mapping[str, Any]) -> None:
        super().__init__(f"{error['code']}: {error['message']}")
        self.error = error
        self.code: str = error["code"]


class Lost(Exception):
    """The connection ended before the ack came: whether the event had an effect is unknown."""


class ChatClient(ABC):
    """One user's connection to a namespace: acks, waiting, and a record of what came.

    What happens to the connection itself is recorded among the events, under names that begin
    with ``@``: ``@connect``, ``@connect_error``, ``@disconnect``, ``@upgrade``.
    """

    namespace = "/chat"

    def __init__(self) -> None:
        self.events: list[tuple[str, Any]] = []
        self.auth: dict[str, Any] = {}  # sent with each CONNECT, also when it reconnects
        self.connected = asyncio.Event()
        self.disconnected = asyncio.Event()
        self.rev = 0  # the newest position that it was told of, in whatever room
        self.foreign = frozenset[str]()  # events that are not the server's own: they have no shape
        self._recorded = asyncio.Event()
        self._waiting: list[tuple[str, Callable[[Any], bool], asyncio.Future[Any]]] = []
        self._pending: set[Reply] = set()

    # What each client does in its own way

    @abstractmethod
    async def connect(
        self,
        url: str,
        token: str | None,
        *,
        since: Mapping[str, str | None] | None = None,
        transports: list[str] | None = None,
    ) -> Self:
        """Connect and wait for the CONNECT answer."""

    @abstractmethod
    async def emit(self, event: str, payload: Any, reply: Reply | None = None) -> None:
        """Send one event; its ack, if one is wanted, becomes the result of ``reply``."""

    @abstractmethod
    async def send_message(self, text: str) -> None:
        """Send an Engine.IO message of any content."""

    @abstractmethod
    async def close(self) -> None:
        """Disconnect and stay away."""

    def identify(self, token: str, since: Mapping[str, str | None] | None = None) -> None:
        """Choose what is sent from the next CONNECT on."""
        self.auth = auth_of(token, since)

    # Asking

    async def ack(self, event: str, payload: Any) -> dict[str, Any]:
        """Send one event and return its whole ack; raise `Lost` if none can come any more."""
        (ack,) = await self.burst([(event, payload)])
        if isinstance(ack, Lost):
            raise ack
        return ack

    async def burst(self, events: Iterable[tuple[str, Any]]) -> list[dict[str, Any] | Lost]:
        """Send events in one tick, in order, and return all their acks."""
        loop = asyncio.get_running_loop()
        replies: list[tuple[str, Any, Reply]] = [
            (event, payload, loop.create_future()) for event, payload in events
        ]
        self._pending.update(reply for _, _, reply in replies)
        try:
            await self._emit_all(replies)
            await asyncio.wait([reply for *_, reply in replies], timeout=WAIT_S)
            return [_ack_or_lost(event, reply) for event, _, reply in replies]
        finally:
            self._pending.difference_update(reply for *_, reply in replies)

    async def call(self, event: str, **payload: Any) -> Any:
        """Send one event and return its data; raise `Refused` with its error."""
        ack = await self.ack(event, payload)
        if not ack["ok"]:
            raise Refused(ack["error"])
        return ack["data"]

    async def say(self, room_id: str, text: str, client_id: str | None = None) -> Any:
        """Send one message to a room."""
        content = {"text": text}
        return await self.call(
            "chat", room_id=room_id, client_id=client_id or new_client_id(), content=content
        )

    # Listening

    async def event(
        self, name: str, matches: Callable[[Any], bool] = lambda _: True, *, after: int = 0
    ) -> Any:
        """Return the data of the first event that matches, past or to come.

        Args:
            after: How many events of the record to pass over.
        """
        for event, data in self.events[after:]:
            if event == name and matches(data):
                return data
        found: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        entry = (name, matches, found)
        self._waiting.append(entry)
        try:
            return await asyncio.wait_for(found, WAIT_S)
        finally:
            self._waiting.remove(entry)

    async def hears(self, rev: int) -> None:
        """Wait until it was told of a position in the one room it is in, or is disconnected."""
        async with asyncio.timeout(WAIT_S):
            while self.rev < rev and self.connected.is_set():
                self._recorded.clear()
                await self._recorded.wait()

    async def ready(self, *, after: int = 0) -> list[Any]:
        """Wait until the catch-up is done and return its ``sync`` events."""
        await self.event("sync", lambda data: data.get("done") is True, after=after)
        return [data for name, data in self.events[after:] if name == "sync"]

    def of(self, name: str) -> list[Any]:
        """Return the data of every event of a name so far."""
        return [data for event, data in self.events if event == name]

    # For subclasses

    async def _emit_all(self, events: Iterable[tuple[str, Any, Reply]]) -> None:
        for event, payload, reply in events:
            await self.emit(event, payload, reply)

    def _answered(self, event: str, reply: Reply, ack: Any) -> None:
        """Take the answer to an event: every ack of every test comes through here."""
        hold_ack(event, ack, self.namespace)
        if not reply.done():
            reply.set_result(ack)

    def _record(self, name: str, data: Any = None) -> None:
        """Take what came by itself: every event of every test comes through here."""
        if not name.startswith("@") and name not in self.foreign:
            hold_event(name, data, self.namespace)
        self.events.append((name, data))
        self.rev = max(self.rev, *_positions(name, data))
        self._recorded.set()
        for event, matches, found in self._waiting:
            if event == name and not found.done() and matches(data):
                found.set_result(data)

    def _is_connected(self, how: Any = None) -> None:
        self._lose_acks()  # of an earlier connection
        self.disconnected.clear()
        self.connected.set()
        self._record("@connect", how)

    def _is_disconnected(self, why: Any) -> None:
        self.connected.clear()
        self.disconnected.set()
        self._record("@disconnect", why)
        self._lose_acks()

    def _lose_acks(self) -> None:
        for reply in self._pending:
            if not reply.done():
                reply.set_exception(Lost("no ack before the connection ended"))


class Client(ChatClient):
    """python-socketio's client; comes back by itself only with ``reconnection=True``."""

    def __init__(self, namespace: str = "/chat", **options: Any) -> None:
        super().__init__()
        self.namespace = namespace
        defaults: dict[str, Any] = {
            "reconnection": False,
            "reconnection_delay": 0.1,
            "reconnection_delay_max": 0.1,
            "randomization_factor": 0,
        }
        self.io: Any = socketio.AsyncClient(**{**defaults, **options})
        self.io.on("*", self._heard, namespace=namespace)
        self.io.on("connect", self._met, namespace=namespace)
        self.io.on("connect_error", self._failed, namespace=namespace)
        self.io.on("disconnect", self._gone, namespace=namespace)

    async def connect(
        self,
        url: str,
        token: str | None,
        *,
        since: Mapping[str, str | None] | None = None,
        transports: list[str] | None = None,
    ) -> Self:
        """See `ChatClient`; raises socketio's ConnectionError."""
        self.auth = auth_of(token, since)
        await self.io.connect(
            url,
            auth=lambda: self.auth,
            namespaces=[self.namespace],
            transports=transports or ["websocket"],
            wait_timeout=WAIT_S,
        )
        return self

    async def emit(self, event: str, payload: Any, reply: Reply | None = None) -> None:
        """See `ChatClient`."""

        def answered(ack: dict[str, Any]) -> None:
            if reply is not None:
                self._answered(event, reply, ack)

        try:
            await self.io.emit(
                event,
                payload,
                namespace=self.namespace,
                callback=None if reply is None else answered,
            )
        except BadNamespaceError as error:
            if reply is None:
                raise
            reply.set_exception(Lost(str(error)))

    async def send_message(self, text: str) -> None:
        """See `ChatClient`."""
        await self.io.eio.send(text)

    async def close(self) -> None:
        """See `ChatClient`."""
        await self.io.shutdown()

    async def cut(self) -> None:
        """Lose the connection without a word, as a phone in a tunnel does."""
        await self.io.eio.ws.close()
        await self.disconnected.wait()

    async def _heard(self, event: str, data: Any = None, *more: Any) -> None:
        self._record(event, (data, *more) if more else data)

    async def _met(self) -> None:
        self._is_connected({"transport": self.io.transport()})

    async def _failed(self, why: Any = None) -> None:
        self._record("@connect_error", why)

    async def _gone(self, reason: str) -> None:
        code = getattr(getattr(self.io.eio, "ws", None), "close_code", None)
        self._is_disconnected({"reason": reason, "code": code})


def _positions(name: str, data: Any) -> list[int]:
    """Return the positions that an event tells of."""
    if name == "sync":
        rooms: dict[str, dict[str, Any]] = data.get("rooms", {})
        upto = str(data.get("upto", ".0")).partition(".")[2]  # of an inbox
        return [int(upto), *(part.get("head", 0) for part in rooms.values())]
    told: dict[str, Any] = cast("dict[str, Any]", data) if isinstance(data, dict) else {}
    return [told.get("rev", 0), told.get("head", 0)]


def auth_of(token: str | None, since: Mapping[str, str | None] | None) -> dict[str, Any]:
    """Return what a client sends with CONNECT."""
    auth: dict[str, Any] = {} if token is None else {"token": token}
    return auth if since is None else {**auth, "since": since}


def new_client_id() -> str:
    """Return a client_id that no other test uses."""
    return f"test-{next(_serial):08d}"


def new_user(name: str) -> str:
    """Return a user id that no other test uses."""
    return f"{name}-{next(_serial)}"


def _ack_or_lost(event: str, reply: Reply) -> dict[str, Any] | Lost:
    if not reply.done():
        raise TimeoutError(f"no ack of {event!r}")
    error = reply.exception()
    if error is None:
        return reply.result()
    if isinstance(error, Lost):
        return error
    raise error
