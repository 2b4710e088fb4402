"""One connection to Parley by stock python-socketio: acks, time limits, further tries.

A connection is used until it is lost, and never again: whatever waits for it ends with `Lost`.
Who wants to go on makes the next one, with the cursors of that moment. So a lost connection, an
ack that never comes and a crash are one case for the program, not three.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import socketio
from socketio import exceptions

CHAT = "/chat"
PATIENCE_S = 10.0  # for an answer
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 30.0  # before another try

Json = dict[str, Any]
log = logging.getLogger(__name__)


class Lost(Exception):
    """The connection is gone. What was on its way has arrived or not."""


class Refused(Exception):
    """The server said no, and to ask again would not help."""

    def __init__(self, error: Json) -> None:
        super().__init__(f"{error['code']}: {error['message']}")
        self.code: str = error["code"]


@asynccontextmanager
async def connected(
    url: str, token: str, since: Mapping[str, str | None]
) -> AsyncGenerator["Connection"]:
    """Connect, and disconnect at the end of the block.

    Args:
        since: How far the program has each room.

    Raises:
        Lost: There was no connection; there may be one later.
        Refused: This token will not do.
    """
    connection = Connection()
    try:
        await connection.open(url, {"token": token, "since": dict(since)})
        yield connection
    finally:
        await connection.close()


class Connection:
    """What the server says, as a queue; and requests with their answers."""

    def __init__(self) -> None:
        self.user_id = ""  # who we are, once the server has said so
        self._events = asyncio.Queue[tuple[str, Json] | None]()  # None: there are no more
        self._end: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._refusal: Json | None = None
        # Coming back is not for this object: see above.
        self._io: Any = socketio.AsyncClient(reconnection=False, handle_sigint=False)
        self._io.on("*", self._heard, namespace=CHAT)
        self._io.on("connect_error", self._failed, namespace=CHAT)
        self._io.on("disconnect", self._gone, namespace=CHAT)

    async def open(self, url: str, auth: Json) -> None:
        """See `connected`."""
        try:
            await self._io.connect(url, auth=auth, namespaces=[CHAT], wait_timeout=PATIENCE_S)
        except exceptions.ConnectionError as error:
            if self._refusal is not None:
                raise Refused(self._refusal) from None
            raise Lost(str(error)) from None
        # Lost between its answer to CONNECT and here: then no `disconnect` is reported.
        if self._io.eio.state != "connected":
            raise Lost("the server let go at once")

    async def close(self) -> None:
        """Disconnect, if that has not happened yet."""
        await self._io.disconnect()

    async def event(self) -> tuple[str, Json]:
        """Return the next event and its payload; after the last one, raise `Lost`."""
        event = await self._events.get()
        if event is not None:
            return event
        if self._refusal is not None:
            raise Refused(self._refusal)
        raise Lost(self._end.result())

    async def request(self, event: str, payload: Json) -> Json:
        """Ask until there is an answer, and return its data.

        The same payload goes out with every try. That is safe, because whatever changes
        something has a ``client_id`` in its payload.
        """
        pause = FIRST_PAUSE_S
        while True:
            ack = await self._ack(event, payload)
            if ack["ok"]:
                data: Json = ack.get("data", {})
                return data
            error = ack["error"]
            if not error["retryable"]:
                raise Refused(error)
            wait = error.get("retry_after_ms", 1000 * pause) / 1000
            log.warning("%s was not possible (%s); again in %.1f s", event, error["code"], wait)
            await asyncio.sleep(wait)
            pause = min(2 * pause, LONGEST_PAUSE_S)

    async def listing(self, event: str, payload: Json) -> AsyncIterator[Json]:
        """Ask for a list of rooms, page after page."""
        page = await self.request(event, payload)
        while True:
            for view in page["rooms"]:
                yield view
            if "next" not in page:
                return
            page = await self.request(event, {**payload, "cursor": page["next"]})

    async def _ack(self, event: str, payload: Json) -> Json:
        call = self._io.call(event, payload, namespace=CHAT, timeout=PATIENCE_S)
        asked = asyncio.ensure_future(call)
        # By itself it would wait on for an ack when the connection has ended.
        await asyncio.wait([asked, self._end], return_when=asyncio.FIRST_COMPLETED)
        if not asked.done():
            asked.cancel()
            raise Lost(self._end.result())
        try:
            ack: Json = await asked
        except (exceptions.BadNamespaceError, exceptions.TimeoutError):
            raise Lost(f"no ack of {event}") from None
        return ack

    # The library runs a task for each packet, in order. So these do not await anything: one
    # event would overtake another.

    def _heard(self, name: str, payload: Json | None = None) -> None:
        payload = payload or {}
        if name == "system" and payload["code"] == "connected":
            self.user_id = payload["user_id"]
        self._events.put_nowait((name, payload))

    def _failed(self, why: Any = None) -> None:
        # An object with `data` is an answer to CONNECT; all else is about the network.
        if isinstance(why, dict) and "data" in why:
            self._refusal = {"message": why["message"], **why["data"]}

    def _gone(self, reason: str) -> None:
        if reason == self._io.reason.SERVER_DISCONNECT:  # then we are to stay away
            self._refusal = {"code": "expelled", "message": "the server sent us away"}
        if not self._end.done():
            self._end.set_result(reason)
        self._events.put_nowait(None)
