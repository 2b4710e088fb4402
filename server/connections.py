"""Who is connected, on any node, and a way to reach them."""

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from parley.namespaces.base import BaseNamespace
from parley.namespaces.chat.wire import room_key
from parley.namespaces.errors import Gone, NotFound, Unavailable
from parley.namespaces.session import Session, user_room
from parley.namespaces.wire import SYSTEM, SystemCode
from parley.server.cluster.calls import NodeCalls
from parley.server.engine.doors import SocketServer
from parley.server.live import LiveConnections
from parley.storage.base import RoomRepository
from parley.storage.errors import StorageError
from parley.storage.expiring import ConnectionRegistry
from parley.storage.models import RoomId, UserId
from parley.storage.presence import Connection

logger = logging.getLogger(__name__)


class Connections:
    """What is asked about the connections of all nodes, and what is done to them.

    What is told or done to everyone reaches connections that are in no chat, too. Each node does
    it to its own sockets: see `NodeCalls`.
    """

    def __init__(
        self,
        *,
        server_id: str,
        live: LiveConnections,
        registry: ConnectionRegistry,
        calls: NodeCalls,
        rooms: RoomRepository,
        sockets: SocketServer,
        namespace: BaseNamespace,
        others: Sequence[BaseNamespace] = (),
    ) -> None:
        """Look at all namespaces; rooms, and what is announced, are of ``namespace``."""
        self._server_id = server_id
        self._live = live
        self._registry = registry
        self._calls = calls
        self._rooms = rooms
        self._sockets = sockets
        self._namespace = namespace
        self._others = others
        calls.answers("room", self._answer_room)
        calls.answers("announce", self._answer_announce)
        calls.answers("disconnect", self._answer_disconnect)

    # Who is there, on any node

    async def online(self) -> Sequence[UserId]:
        """Return everyone with a live socket, in order."""
        return sorted(await self._registry.online())

    async def among(self, user_ids: Collection[UserId]) -> Collection[UserId]:
        """Return those of some users who have a live socket."""
        return await self._with_others(user_ids, self._live.users, lambda connection: True)

    async def hearing(self, user_ids: Collection[UserId]) -> Collection[UserId]:
        """Return those of some users who have a socket in the chat."""
        here = {user for user in user_ids if self._namespace.transport.sockets(user_room(user))}
        return await self._with_others(user_ids, here, lambda connection: connection.hears_chat)

    async def _with_others(
        self,
        user_ids: Collection[UserId],
        here: Collection[UserId],
        counts: Callable[[Connection], bool],
    ) -> Collection[UserId]:
        """Return who is here, and who has a connection on another node that counts."""
        found = {user for user in user_ids if user in here}
        rest = [user for user in user_ids if user not in here]
        try:
            connections = await self._registry.of_users(rest)
        except StorageError as error:
            # Rather told twice than not at all.
            logger.warning("the registry of connections does not answer: %s", error)
            return found
        found.update(
            user
            for user, its in connections.items()
            if any(each.server_id != self._server_id and counts(each) for each in its)
        )
        return found

    async def in_room(self, room_id: RoomId) -> Sequence[UserId]:
        """Return everyone with a socket that is live in the room, in order.

        Raises:
            NotFound, Gone: There is no such room, or not any more.
        """
        await self._check(room_id)
        elsewhere = await self._calls.ask("room", room_id=room_id)
        users = {session.user_id for session in self._in(room_id)}
        return sorted(users.union(*elsewhere.found))

    async def _answer_room(self, asked: Mapping[str, Any]) -> list[UserId]:
        return list({session.user_id for session in self._in(asked["room_id"])})

    # What is done to sockets

    async def announce(
        self, content: dict[str, Any], *, by: UserId, room_id: RoomId | None = None
    ) -> int:
        """Tell something to every socket, or to those in one room; return how many there are.

        At most once, and nothing is kept.

        Raises:
            NotFound, Gone: There is no such room, or not any more.
        """
        if room_id is not None:
            await self._check(room_id)
        notice = {"code": SystemCode.ANNOUNCEMENT, "content": content, "from": by}
        reached = self._send(notice, room_id)
        elsewhere = await self._calls.ask("announce", notice=notice, room_id=room_id)
        counts: list[int] = [reached, *elsewhere.found]
        return sum(counts)

    async def _answer_announce(self, asked: Mapping[str, Any]) -> int:
        return self._send(asked["notice"], asked["room_id"])

    def _send(self, notice: Mapping[str, Any], room_id: RoomId | None) -> int:
        if room_id is None:
            # Once to each connection, in the first of its namespaces.
            reached = {eio: (namespace, sid) for eio, namespace, sid in reversed(self._everyone())}
        else:
            reached = {s.sid: (self._namespace, s.sid) for s in self._in(room_id)}
        for namespace, sid in reached.values():
            namespace.transport.send(sid, SYSTEM, notice)
        return len(reached)

    async def disconnect(self, user_id: UserId) -> int:
        """Close every connection of a user; return how many there were.

        Stock clients stay away then, until somebody tells them to connect; a token that is
        valid still lets them in.

        Raises:
            Unavailable: A node has not answered, and may still have some.
        """
        # At once: a socket may take its time to close.
        elsewhere, here = await asyncio.gather(
            self._calls.ask("disconnect", user_id=user_id), self._expel(user_id)
        )
        if not elsewhere.complete:
            raise Unavailable("not every node has answered, so she may be connected there still")
        counts: list[int] = [here, *elsewhere.found]
        return sum(counts)

    async def _answer_disconnect(self, asked: Mapping[str, Any]) -> int:
        return await self._expel(asked["user_id"])

    async def _expel(self, user_id: UserId) -> int:
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
