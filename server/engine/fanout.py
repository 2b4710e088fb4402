"""What is sent in one step of the event loop, and leaves in one write per connection.

Under load several messages of a room, and several answers to a client, are due in the same step.
Each write is a system call, which costs more than all the rest of a delivery (1.2 of 1.7 us,
measured), so frames are joined. With one message in flight nothing is joined and nothing waits:
the flush runs in the same turn of the loop.

Order on a connection is the order of the calls, whatever came through a room and what did not:
- what is due in rooms leaves in the order in which it came, and is joined only with what came
  right before it: rooms may share members;
- a frame for one connection makes the rooms it is in flush first;
- a room's flush finds what the connection was to be sent before it in `Connection.out`, and goes
  behind it;
- whoever enters or leaves a room makes it flush first.
"""

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from parley.server.engine.rooms import Room

if TYPE_CHECKING:
    from parley.server.engine.connection import Connection


@dataclass(slots=True, eq=False)
class _Due:
    """Frames, and the rooms they are for."""

    rooms: tuple[Room, ...]
    frames: list[bytes]


class Fanout:
    """What rooms and connections are to be sent when this step is over."""

    def __init__(self) -> None:
        self.due: list[_Due] = []
        self._connections: list[Connection] = []
        self._scheduled = False
        self._behind: list[Connection] | None = None  # a list while a room is being flushed

    def broadcast(self, rooms: tuple[Room, ...], frame: bytes) -> None:
        """Send a frame to whoever is in one of these rooms now; nobody is in two of them."""
        if self.due and self.due[-1].rooms == rooms:
            self.due[-1].frames.append(frame)
        else:
            self.due.append(_Due(rooms, [frame]))
            self._schedule()

    def flush_soon(self, connection: "Connection") -> None:
        """Flush a connection when this step is over."""
        self._connections.append(connection)
        self._schedule()

    def flush_rooms_of(self, connection: "Connection") -> None:
        """Flush what is due in the rooms of a connection, before something else is sent to it."""
        for due in reversed(self.due):
            for member in connection.clients():
                if any(member.sid in room.members for room in due.rooms):
                    self._flush_upto(due)
                    return

    def flush_room(self, room: Room) -> None:
        """Give each member what is due in a room, and first what was due before it."""
        for due in reversed(self.due):
            if room in due.rooms:
                self._flush_upto(due)
                return

    def _flush_upto(self, last: _Due) -> None:
        # Looked for each time: a flush that ends a connection may itself make rooms flush.
        while last in self.due:
            self._flush(self.due.pop(0))

    def _flush(self, due: _Due) -> None:
        frames = due.frames
        joined = frames[0] if len(frames) == 1 else b"".join(frames)
        # A copy, for a write may end a connection. The loop is what a broadcast costs, so what is
        # nearly always so is decided right here.
        outer, self._behind = self._behind, []
        for room in due.rooms:
            for connection in tuple(room.members.values()):
                transport = connection.quick
                if transport is not None:
                    transport.write(joined)
                else:
                    connection.push(frames, room)
        behind, self._behind = self._behind, outer
        for connection in behind:
            connection.give_way()

    def falls_behind(self, connection: "Connection") -> None:
        """Let a connection give way that has too much waiting.

        In the middle of a room it waits for the room's end: whoever is told of it may send
        something, which is not to overtake the frames that are on their way to the others.
        """
        if self._behind is None:
            connection.give_way()
        else:
            self._behind.append(connection)

    def flush(self) -> None:
        """Send all that is due."""
        self._scheduled = False
        while self.due:
            self._flush(self.due.pop(0))
        connections, self._connections = self._connections, []
        for connection in connections:
            connection.flush()

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self.flush)
