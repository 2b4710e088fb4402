"""Backends that emit by Redis, with python-socketio's own managers, reach the clients of a node.

What a node itself sends does not come along here: `LocalManager.deliver` publishes nothing, for
rows of rooms and inboxes go by storage and find their own way to other nodes.

Seams of python-socketio (tests/server/cluster/test_seams.py names the one that moves):
`AsyncRedisManager` makes messages of `emit`, `enter_room` and so on, and gives them to
``_publish``; ``_handle_emit`` and its like, for its own clients, call the next class, which is
`LocalManager`; ``initialize`` would begin to listen. Its listener is not used: it takes a message
for what it says, ends at some that say nothing, and waits for handlers.
"""

# pyright: standard
# (python-socketio ships without types)

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Sequence
from typing import Any

import socketio

from parley.namespaces.chat.wire import room_key, watch_key
from parley.namespaces.notification.wire import inbox_key
from parley.namespaces.presence.wire import followers_key, list_key
from parley.namespaces.session import user_room
from parley.server.cluster import orders
from parley.server.cluster.complaints import Complaints
from parley.server.engine.manager import LocalManager
from parley.storage.models import RoomId, UserId
from parley.storage.redis.bus import FIRST_S
from parley.storage.redis.database import RedisDatabase
from parley.storage.redis.link import Link

logger = logging.getLogger(__name__)

OWN_ROOMS = (
    *(key(UserId("")) for key in (user_room, inbox_key, followers_key)),
    *(key(RoomId("")) for key in (room_key, watch_key, list_key)),
)
"""What rooms begin with that this server fills.

Emitting to one is everybody's; who is in it is not. A feed counts on it that nobody hears a room
who is no member, and that nobody is taken out without being told to catch up.
"""


class ClusterManager(socketio.AsyncRedisManager, LocalManager):  # type: ignore[misc]  # untyped
    """See `socketio.AsyncRedisManager`; what it orders for clients here is done by `LocalManager`.

    Redis may be away: then what is emitted reaches the clients of this node and no others.
    """

    def __init__(self, url: str) -> None:
        super().__init__(url)  # type: ignore[call-arg]  # of `AsyncRedisManager`, which is untyped
        self._link: Link | None = None  # while it runs
        self._ready = asyncio.Event()  # it has heard itself for the first time
        self._complaints = Complaints()

    @property
    def deaf(self) -> bool:
        """Whether what backends publish does not come in."""
        return self._link is None or self._link.deaf

    def initialize(self) -> None:
        """Do nothing: see `running`. The first client is too late, backends may be first."""

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Listen meanwhile; from the start, if Redis answers."""
        async with RedisDatabase.open(self.redis_url) as database:
            self._link = Link(
                "backends",
                database.everywhere,
                heard=self._hear,
                ready=self._ready.set,
                moved=lambda: None,  # what is said to any server is heard at all
            )
            self._link.subscribe(self.channel.encode())
            try:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(FIRST_S):
                        await self._ready.wait()
                yield
            finally:
                await self._link.close()
                self._complaints.close()
                self._link = None

    # Out

    async def emit(
        self,
        event: str,
        data: Any,
        namespace: str | None = None,
        room: Any = None,
        skip_sid: Any = None,
        callback: Any = None,
        to: Any = None,
        **options: Any,
    ) -> None:
        """See `socketio.AsyncRedisManager`; with a ``callback``, clients of this node only.

        Nobody would take back a callback for a client of another node that never answers.
        """
        if callback is not None:
            options["ignore_queue"] = True
        await super().emit(event, data, namespace or "/", room, skip_sid, callback, to, **options)

    async def _publish(self, data: Any) -> None:
        """Tell other nodes what is not for clients here; while Redis is away, nobody."""
        # Not kept for later: clients that are told of a moment ago are told wrong.
        if self._link is not None and not self._link.deaf:
            self._link.publish(self.channel.encode(), self.json.dumps(data).encode())

    # In

    def _hear(self, _channel: bytes, message: bytes) -> None:
        try:
            order = orders.read(message, own=self.host_id)
            if order is not None:
                self._follow(order)
        except orders.Unusable as why:
            self._complaints.note(str(why))
        except Exception:
            logger.exception("a message of Redis was not followed")

    def _follow(self, order: orders.Order) -> None:
        match order:
            case orders.Emit():
                self._start(
                    LocalManager.emit(
                        self,
                        order.event,
                        order.arguments,
                        order.namespace,
                        room=_one_or_all(order.rooms),
                        skip_sid=order.skip or None,
                    )
                )
            case orders.EnterRoom(namespace=namespace, sid=sid, room=room):
                self._check_free(namespace, room)
                if self.is_connected(sid, namespace):
                    self.basic_enter_room(sid, namespace, room)
            case orders.LeaveRoom(namespace=namespace, sid=sid, room=room):
                self._check_free(namespace, room)
                self.basic_leave_room(sid, namespace, room)
            case orders.CloseRoom(namespace=namespace, room=room):
                self._check_free(namespace, room)
                self.basic_close_room(room, namespace)
            case orders.Disconnect(namespace=namespace, sid=sid):
                self._start(self.server.disconnect(sid, namespace, ignore_queue=True))

    def _start(self, work: Any) -> None:
        """Begin something that a handler of an application may hold up."""
        self.server.eio.crew.start(work)

    def _check_free(self, namespace: str, room: str) -> None:
        if room.startswith(OWN_ROOMS):
            raise orders.Unusable("who is in a room of this server is decided by the server")
        if self.member(room, namespace) is not None:
            raise orders.Unusable("its room is a client")


def _one_or_all(rooms: Sequence[str] | None) -> Any:
    """Return one room as itself: it is served as a whole."""
    return rooms[0] if rooms is not None and len(rooms) == 1 else rooms
