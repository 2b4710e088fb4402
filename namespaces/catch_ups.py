"""What is between the CONNECT of a socket and its being live: greeted, then brought up to date."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from parley.namespaces.session import Session, user_room
from parley.namespaces.transport import Close, Transport
from parley.namespaces.wire import SYSTEM, greeting
from parley.storage.errors import StorageUnavailable

logger = logging.getLogger(__name__)


class CatchUps:
    """Runs one catch-up per socket, which ends with it; one that fails ends the connection."""

    def __init__(self, *, server_id: str, transport: Transport) -> None:
        self._server_id = server_id
        self._transport = transport
        self._running: dict[Session, asyncio.Task[None]] = {}

    def begin(self, session: Session, catch_up: Callable[[], Awaitable[None]]) -> None:
        """Greet a socket, and start its catch-up."""
        self._transport.send(session.sid, SYSTEM, greeting(session.user_id, self._server_id))
        # Before anything is read, so that what begins for the user meanwhile is not missed.
        self._transport.enter(session.sid, user_room(session.user_id))
        self._running[session] = asyncio.create_task(self._run(session, catch_up))

    async def end(self, session: Session) -> None:
        """Stop the catch-up of a socket that is gone."""
        running = self._running.pop(session, None)
        if running is not None:
            running.cancel()
            await asyncio.wait([running])
        self._transport.leave(session.sid, user_room(session.user_id))

    async def _run(self, session: Session, catch_up: Callable[[], Awaitable[None]]) -> None:
        try:
            await catch_up()
        except StorageUnavailable:
            self._transport.close(session.sid, Close.UNAVAILABLE)
        except Exception:
            logger.exception("catch-up of %s failed", session.connection_id)
            self._transport.close(session.sid, Close.OVERLOADED)
