"""Socket.IO's namespaces and rooms on this node, and sending to them without waiting.

It takes the place of python-socketio's manager, method by method. That one finds out what rooms a
client is in by looking into all there are, makes a task per recipient, and counts a client as one
of its namespace before it was let in.
"""

# pyright: standard
# (python-socketio ships without types)

import contextlib
import itertools
from collections.abc import Collection, Iterator, Sequence
from typing import Any

import socketio
from socketio import packet

from parley.server.engine.connection import Connection
from parley.server.engine.encoding import encode
from parley.server.engine.rooms import Member, Space

_NOBODY = Space()


class LocalManager(socketio.AsyncManager):  # type: ignore[misc]  # socketio is untyped
    """See `socketio.AsyncManager`; nothing here waits, though some methods must be coroutines."""

    server: Any

    def __init__(self) -> None:
        super().__init__()
        self._spaces: dict[str, Space] = {}

    def running(self) -> contextlib.AbstractAsyncContextManager[None]:
        """Meanwhile do what others order for clients here; by itself it hears nobody."""
        return contextlib.nullcontext()

    # Who is here

    def member(self, sid: str, namespace: str) -> Member | None:
        """Return a client, let in or not yet."""
        return self._spaces.get(namespace, _NOBODY).members.get(sid)

    def join(self, connection: Connection, namespace: str) -> Member:
        """Begin a client's life in a namespace; it hears nothing before it is `Member.live`."""
        member = Member(self.server.eio.generate_id(), namespace, connection)
        self._spaces.setdefault(namespace, Space()).members[member.sid] = member
        connection.members[namespace] = member
        return member

    def forget(self, member: Member) -> None:
        """End it: out of its rooms and its namespace."""
        space = self._spaces.get(member.namespace)
        if space is None or space.members.pop(member.sid, None) is None:
            return
        for name in tuple(member.rooms):
            self._leave(space, member, name)
        if member.connection.members.get(member.namespace) is member:
            member.connection.members[member.namespace] = None
        member.live = False
        self.callbacks.pop(member.sid, None)
        if not space.members:
            del self._spaces[member.namespace]
        if not member.connection.closed and not any(member.connection.clients()):
            self.server.eio.times.left(member.connection)

    def get_namespaces(self) -> Collection[str]:
        """See `socketio.BaseManager`."""
        return list(self._spaces)

    def get_participants(self, namespace: str, room: Any) -> Iterator[tuple[str, str]]:
        """See `socketio.BaseManager`."""
        space = self._spaces.get(namespace, _NOBODY)
        for sid in self._sids(space, room):
            yield sid, space.members[sid].connection.sid

    def is_connected(self, sid: str, namespace: str) -> bool:
        """See `socketio.BaseManager`."""
        member = self.member(sid, namespace)
        return member is not None and member.live and not member.leaving

    def is_pre_connected(self, sid: str, namespace: str) -> bool:
        """Whether its connect handler runs; see `socketio.BaseManager`."""
        member = self.member(sid, namespace)
        return member is not None and not member.live and not member.leaving

    def sid_from_eio_sid(self, eio_sid: str, namespace: str) -> str | None:
        """See `socketio.BaseManager`."""
        connection = self.server.eio.sockets.get(eio_sid)
        member = connection.members.get(namespace) if connection is not None else None
        return None if member is None else member.sid

    def eio_sid_from_sid(self, sid: str, namespace: str) -> str | None:
        """See `socketio.BaseManager`."""
        member = self.member(sid, namespace)
        return None if member is None else member.connection.sid

    def pre_disconnect(self, sid: str, namespace: str) -> str | None:
        """See `socketio.BaseManager`."""
        member = self.member(sid, namespace)
        if member is None:
            return None
        member.leaving = True
        return member.connection.sid

    async def disconnect(self, sid: str, namespace: str, **_: Any) -> None:
        """See `socketio.AsyncManager`."""
        member = self.member(sid, namespace)
        if member is not None:
            self.forget(member)

    # Rooms

    def basic_enter_room(
        self, sid: str, namespace: str, room: Any, eio_sid: str | None = None
    ) -> None:
        """See `socketio.BaseManager`; ValueError for a client that is not there."""
        space = self._spaces.get(namespace, _NOBODY)
        member = space.members.get(sid)
        if member is None:
            raise ValueError("sid is not connected to requested namespace")
        if room == sid:
            return  # it is there anyway
        if room in space.members:
            raise ValueError("cannot enter a sid room")
        if room not in member.rooms:
            self._flush(space, room)  # what was sent before is not for her
            space.enter(member, room)

    def basic_leave_room(self, sid: str, namespace: str, room: Any) -> None:
        """See `socketio.BaseManager`."""
        space = self._spaces.get(namespace, _NOBODY)
        member = space.members.get(sid)
        if member is not None:
            self._leave(space, member, room)

    def basic_close_room(self, room: Any, namespace: str) -> None:
        """See `socketio.BaseManager`."""
        space = self._spaces.get(namespace, _NOBODY)
        if room in space.members:
            raise ValueError("cannot close a sid room")
        for sid in tuple(self._sids(space, room)):
            self.basic_leave_room(sid, namespace, room)

    def get_rooms(self, sid: str, namespace: str) -> list[Any]:
        """See `socketio.BaseManager`; its own room is among them."""
        member = self.member(sid, namespace)
        return [] if member is None else [sid, *member.rooms]

    def sids(self, namespace: str, room: Any) -> list[str]:
        """Return who is in a room on this node."""
        return list(self._sids(self._spaces.get(namespace, _NOBODY), room))

    def _sids(self, space: Space, room: Any) -> Iterator[str]:
        if isinstance(room, list | tuple | set):
            yield from dict.fromkeys(sid for name in room for sid in space.sids(name))
        else:
            yield from space.sids(room)

    def _leave(self, space: Space, member: Member, name: Any) -> None:
        self._flush(space, name)  # what was sent before is for her, too
        space.leave(member, name)

    def _flush(self, space: Space, name: Any) -> None:
        room = space.rooms.get(name)
        if room is not None:
            self.server.eio.fanout.flush_room(room)

    # Sending

    def deliver(
        self,
        namespace: str,
        event: str,
        data: Any,
        *,
        room: str,
        also: str | None = None,
        through: str | None = None,
        skip: Collection[str] = (),
        ephemeral: bool = False,
    ) -> None:
        """Send one event without attachments to every client in ``room``, except ``skip``.

        Args:
            through: Where ``room`` is one client: the room by which this gives way.
            also: Another room whose clients are to get it, none of whom is in ``room``.
            ephemeral: It may be lost where a client does not keep up.
        """
        space = self._spaces.get(namespace)
        if space is None:
            return
        member = space.members.get(room)
        if member is not None:
            (frame,) = encode(packet.EVENT, namespace, [event, data])
            member.connection.send(frame, room=member.rooms.get(through), ephemeral=ephemeral)
            return
        found = tuple(space.rooms[name] for name in (room, also) if name in space.rooms)
        if not found:
            return
        (frame,) = encode(packet.EVENT, namespace, [event, data])
        if not skip and not ephemeral:
            self.server.eio.fanout.broadcast(found, frame)
            return
        for each in found:
            self.server.eio.fanout.flush_room(each)
            for sid, connection in tuple(each.members.items()):
                if sid not in skip:
                    connection.send(frame, room=each, ephemeral=ephemeral)

    async def emit(
        self,
        event: str,
        data: Any,
        namespace: str,
        room: Any = None,
        skip_sid: Any = None,
        callback: Any = None,
        to: Any = None,
        **_: Any,
    ) -> None:
        """See `socketio.AsyncManager`."""
        space = self._spaces.get(namespace)
        if space is None:
            return
        target = to or room
        arguments = _arguments(event, data)
        skip = skip_sid if isinstance(skip_sid, list | tuple | set) else (skip_sid,)
        found = space.rooms.get(target) if _is_name(target) else None
        if callback is not None:
            for sid in tuple(self._sids(space, target)):
                if sid not in skip:
                    id = self._generate_ack_id(sid, callback)
                    self._send(space, sid, encode(packet.EVENT, namespace, arguments, id))
            return
        encoded = encode(packet.EVENT, namespace, arguments)
        if found is not None and skip_sid is None and len(encoded) == 1:
            self.server.eio.fanout.broadcast((found,), encoded[0])
            return
        for sid in tuple(self._sids(space, target)):
            if sid not in skip:
                self._send(space, sid, encoded)

    def _send(self, space: Space, sid: str, encoded: Sequence[bytes]) -> None:
        connection = space.members[sid].connection
        for frame in encoded:
            connection.send(frame)

    def _generate_ack_id(self, sid: str, callback: Any) -> int:
        # Stock keeps its counter among the callbacks, where a forged ack finds it.
        id = next(self._ack_ids)
        self.callbacks.setdefault(sid, {})[id] = callback
        return id

    _ack_ids = itertools.count(1)


def _arguments(event: str, data: Any) -> list[Any]:
    """Return an event with its arguments; a tuple is several of them."""
    if isinstance(data, tuple):
        return [event, *data]
    return [event] if data is None else [event, data]


def _is_name(room: Any) -> bool:
    return room is not None and not isinstance(room, list | tuple | set)
