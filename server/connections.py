"""Who is connected: keeps the registry of live connections up to date, and reaches them."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from typing import Any

from parley.namespaces.base import BaseNamespace
from parley.namespaces.chat.wire import room_key
from parley.namespaces.errors import Gone, NotFound
from parley.namespaces.session import FirstAndLast, Session
from parley.namespaces.wire import SYSTEM, SystemCode
from parley.server.engine.doors import SocketServer
from parley.storage.base import RoomRepository
from parley.storage.errors import StorageError
from parley.storage.expiring import ConnectionRegistry
from parley.storage.models import Connection, RoomId, Timestamp, UserId

logger = logging.getLogger(__name__)

RENEWAL_S = 20.0  # a third of a lease: two renewals in a row may fail
FAREWELL_S = 0.5  # for the registry, when the server stops


class Connections:
    """The live connections of this node. See `namespaces.session.SessionObserver`.

    What is told or done to everyone reaches connections that are in no chat, too.
    """

    def __init__(
        self,
        *,
        server_id: str,
        registry: ConnectionRegistry,
        rooms: RoomRepository,
        sockets: SocketServer,
        namespace: BaseNamespace,
        others: Sequence[BaseNamespace] = (),
        now: Callable[[], Timestamp],
    ) -> None:
        """Look at all namespaces; rooms, and what is announced, are of ``namespace``."""
        self._server_id = server_id
        self._registry = registry
        self._rooms = rooms
        self._sockets = sockets
        self._namespace = namespace
        self._others = others
        self._now = now
        self._live: dict[str, Connection] = {}
        # One worker takes them in order, or a socket that leaves while it is being registered
        # would stay behind.
        self._news: asyncio.Queue[tuple[bool, Connection]] = asyncio.Queue()
        by_connection = FirstAndLast(self)
        for each in (namespace, *others):
            each.observe(by_connection)

    # What happens to connections

    def opened(self, session: Session) -> None:
        """See `SessionObserver`."""
        connection = Connection(
            id=session.connection_id,
            user_id=session.user_id,
            server_id=self._server_id,
            connected_at=self._now(),
        )
        self._live[connection.id] = connection
        self._news.put_nowait((True, connection))

    def closed(self, session: Session) -> None:
        """See `SessionObserver`."""
        connection = self._live.pop(session.connection_id, None)
        if connection is not None:
            self._news.put_nowait((False, connection))

    @contextlib.asynccontextmanager
    async def registered(self) -> AsyncIterator[None]:
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
            begins, connection = await self._news.get()
            call = self._registry.register if begins else self._registry.unregister
            try:
                await call(connection)
            except StorageError as error:
                # It is mended by the next renewal, or by the end of the lease.
                logger.warning("the registry of connections does not answer: %s", error)
            finally:
                self._news.task_done()

    async def _renew_forever(self) -> None:
        while True:
            await asyncio.sleep(RENEWAL_S)
            if not self._news.empty():
                continue  # a registry that hangs is not given more of the same
            for connection in list(self._live.values()):
                self._news.put_nowait((True, connection))

    # What administrators ask

    async def online(self) -> Sequence[UserId]:
        """Return everyone with a live socket, in order."""
        return sorted(await self._registry.online())

    async def among(self, user_ids: Collection[UserId]) -> Collection[UserId]:
        """Return those of some users who have a live socket."""
        return {user for user in user_ids if await self._registry.of_user(user)}

    async def in_room(self, room_id: RoomId) -> Sequence[UserId]:
        """Return everyone with a socket that is live in the room on this node, in order.

        Raises:
            NotFound, Gone: There is no such room, or not any more.
        """
        await self._check(room_id)
        return sorted({session.user_id for session in self._in(room_id)})

    async def announce(
        self, content: dict[str, Any], *, by: UserId, room_id: RoomId | None = None
    ) -> int:
        """Tell something to every socket, or to those in one room; return how many there are.

        At most once, and nothing is kept.

        Raises:
            NotFound, Gone: There is no such room, or not any more.
        """
        notice = {"code": SystemCode.ANNOUNCEMENT, "content": content, "from": by}
        if room_id is None:
            # Once to each connection, in the first of its namespaces.
            reached = {eio: (namespace, sid) for eio, namespace, sid in reversed(self._everyone())}
        else:
            await self._check(room_id)
            reached = {s.sid: (self._namespace, s.sid) for s in self._in(room_id)}
        for namespace, sid in reached.values():
            namespace.transport.send(sid, SYSTEM, notice)
        return len(reached)

    async def disconnect(self, user_id: UserId) -> int:
        """Close every connection of a user on this node; return how many there were.

        Stock clients stay away then, until somebody tells them to connect; a token that is
        valid still lets them in.
        """
        found = {
            eio
            for eio, namespace, sid in self._everyone()
            if namespace.sessions[sid].user_id == user_id
        }
        await asyncio.gather(*(self._sockets.expel(eio, SystemCode.REVOKED) for eio in found))
        return len(found)

    def _everyone(self) -> Sequence[tuple[str, BaseNamespace, str]]:
        """Return every socket with its connection, the chat's first."""
        manager = self._sockets.manager
        return [
            (eio, namespace, sid)
            for namespace in (self._namespace, *self._others)
            for sid in namespace.sessions
            if (eio := manager.eio_sid_from_sid(sid, namespace.namespace)) is not None
        ]

    def _in(self, room_id: RoomId) -> Sequence[Session]:
        sids = self._namespace.transport.sockets(room_key(room_id))
        sessions = self._namespace.sessions
        return [sessions[sid] for sid in sids if sid in sessions]

    async def _check(self, room_id: RoomId) -> None:
        snapshot = await self._rooms.get(room_id)
        if snapshot is None:
            raise NotFound("no such room", room_id=room_id)
        if snapshot.room.deleted:
            raise Gone("this room was deleted", room_id=room_id)
