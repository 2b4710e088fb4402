"""The live connections of this node, and how the registry of all nodes knows of them."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Callable, Collection, Sequence
from dataclasses import replace

from parley.namespaces.base import BaseNamespace
from parley.namespaces.session import FirstAndLast, Session
from parley.storage.errors import StorageError
from parley.storage.expiring import ConnectionRegistry
from parley.storage.models import Timestamp, UserId
from parley.storage.presence import Connection

logger = logging.getLogger(__name__)

RENEWAL_S = 20.0  # a third of a lease: two renewals in a row may fail
FAREWELL_S = 0.5  # for the registry, when the server stops


class LiveConnections:
    """Keeps the registry up to date. See `namespaces.session.SessionObserver`."""

    def __init__(
        self,
        *,
        server_id: str,
        registry: ConnectionRegistry,
        chat: BaseNamespace,
        others: Sequence[BaseNamespace],
        now: Callable[[], Timestamp],
    ) -> None:
        self._server_id = server_id
        self._registry = registry
        self._now = now
        self._live: dict[str, Connection] = {}
        self._in_chat = _InChat(self._changed)
        # One worker takes them in order, or a socket that leaves while it is being registered
        # would stay behind.
        self._news: asyncio.Queue[tuple[bool, Connection]] = asyncio.Queue()
        chat.observe(self._in_chat)  # first, so that a connection begins as what it is
        by_connection = FirstAndLast(self)
        for each in (chat, *others):
            each.observe(by_connection)

    @property
    def users(self) -> Collection[UserId]:
        """Return whose they are."""
        return {connection.user_id for connection in self._live.values()}

    def opened(self, session: Session) -> None:
        """See `SessionObserver`."""
        connection = Connection(
            id=session.connection_id,
            user_id=session.user_id,
            server_id=self._server_id,
            connected_at=self._now(),
            hears_chat=session.connection_id in self._in_chat,
        )
        self._live[connection.id] = connection
        self._news.put_nowait((True, connection))

    def closed(self, session: Session) -> None:
        """See `SessionObserver`."""
        connection = self._live.pop(session.connection_id, None)
        if connection is not None:
            self._news.put_nowait((False, connection))

    def _changed(self, connection_id: str) -> None:
        """Take note of a connection that has joined the chat or left it."""
        connection = self._live.get(connection_id)
        if connection is not None:
            hears = connection_id in self._in_chat
            self._live[connection_id] = connection = replace(connection, hears_chat=hears)
            self._news.put_nowait((True, connection))

    @contextlib.asynccontextmanager
    async def registered(self) -> AsyncGenerator[None, None]:
        """Keep the registry up to date meanwhile."""
        tasks = [asyncio.create_task(self._tell()), asyncio.create_task(self._renew_forever())]
        try:
            yield
            # Whoever left is gone from the registry before this process is, if it answers.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(FAREWELL_S):
                    await self._news.join()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    async def _tell(self) -> None:
        while True:
            news = [await self._news.get()]
            while not self._news.empty():
                news.append(self._news.get_nowait())
            try:
                await self._take(news)
            except StorageError as error:
                # It is mended by the next renewal, or by the end of the lease.
                logger.warning("the registry of connections does not answer: %s", error)
            except Exception:
                logger.exception("the registry of connections failed")  # the next time may not
            finally:
                for _ in news:
                    self._news.task_done()

    async def _take(self, news: Sequence[tuple[bool, Connection]]) -> None:
        """Tell what is so of each connection in the end."""
        ends = {connection.id: (begins, connection) for begins, connection in news}.values()
        await self._registry.renew([c for begins, c in ends if begins])
        await self._registry.unregister_all([c for begins, c in ends if not begins])

    async def _renew_forever(self) -> None:
        while True:
            await asyncio.sleep(RENEWAL_S)
            if not self._news.empty():
                continue  # a registry that hangs is not given more of the same
            for connection in list(self._live.values()):
                self._news.put_nowait((True, connection))


class _InChat:
    """The connections that have joined the chat. See `SessionObserver`."""

    def __init__(self, changed: Callable[[str], None]) -> None:
        """Tell ``changed`` of each connection that joins or leaves."""
        self._changed = changed
        self._connections: set[str] = set()

    def __contains__(self, connection_id: str) -> bool:
        """Whether a connection has joined."""
        return connection_id in self._connections

    def opened(self, session: Session) -> None:
        """See `SessionObserver`."""
        self._connections.add(session.connection_id)
        self._changed(session.connection_id)

    def closed(self, session: Session) -> None:
        """See `SessionObserver`."""
        self._connections.discard(session.connection_id)
        self._changed(session.connection_id)
