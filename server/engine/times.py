"""What every connection must do in time: answer pings, join a namespace, take what it is sent."""

import asyncio
from collections.abc import Callable, Mapping

from parley.namespaces.transport import Close
from parley.server.engine import frames
from parley.server.engine.connection import Connection
from parley.server.engine.deadlines import Deadlines

HELD_UP_S = 0.5  # that a deadline may come late, until it says nothing about the client


class Times:
    """The deadlines of all connections. Each keeps the due time that counts, see `Deadlines`."""

    def __init__(
        self,
        connections: Mapping[str, Connection],
        end: Callable[[Connection, Close], None],
        *,
        ping_interval: float,
        ping_timeout: float,
        connect_timeout: float,
        write_timeout: float,
    ) -> None:
        self._connections = connections
        self._end = end
        self.pings = Deadlines(ping_interval, self._ping)
        self.pongs = Deadlines(ping_timeout, self._silent)
        self.joins = Deadlines(connect_timeout, self._idle)
        self.writes = Deadlines(write_timeout, self._slow)

    # What begins

    def began(self, connection: Connection) -> None:
        """Let a connection's heart beat, and wait for it to join a namespace."""
        connection.beat_due = self.pings.add(connection.sid)
        self.left(connection)

    def left(self, connection: Connection) -> None:
        """Wait for a connection that is in no namespace to join one."""
        connection.join_due = self.joins.add(connection.sid)

    def filled(self, connection: Connection) -> None:
        """Wait for a transport that takes no more to take something, unless that is waited for."""
        if connection.full_due == 0.0:
            connection.full_due = self.writes.add(connection.sid)

    def pong(self, connection: Connection) -> None:
        """Take the answer to a ping."""
        # One that nobody asked for must not put one more deadline into the queue.
        if connection.awaits_pong:
            connection.awaits_pong = False
            connection.beat_due = self.pings.add(connection.sid)

    def over(self, connection: Connection) -> bool:
        """End a connection whose pong is late; its deadline may come only behind a request."""
        now = asyncio.get_running_loop().time()
        if connection.awaits_pong and connection.beat_due <= now:
            self._silent(connection.sid, connection.beat_due)
        return connection.closed

    # What is due

    def _ping(self, sid: str, due: float) -> None:
        connection = self._connections.get(sid)
        if connection is not None and connection.beat_due == due:
            connection.awaits_pong = True
            # Timers fire some milliseconds late, and clients count from when they should have.
            late = asyncio.get_running_loop().time() - due
            connection.beat_due = self.pongs.add(sid, late=late if late < HELD_UP_S else 0.0)
            connection.send(frames.PING)

    def _silent(self, sid: str, due: float) -> None:
        connection = self._connections.get(sid)
        if connection is None or connection.beat_due != due or not connection.awaits_pong:
            # It has answered. uvloop's clock counts milliseconds, so that the deadline which it has
            # met may fall on its next ping where the interval is shorter than the time-out.
            return
        if asyncio.get_running_loop().time() - due > HELD_UP_S:
            # The process stood still: pongs may wait in the kernel, and timers come before them.
            connection.beat_due = self.pongs.add(sid)
        else:
            self._end(connection, Close.SILENT)

    def _idle(self, sid: str, due: float) -> None:
        connection = self._connections.get(sid)
        if connection is not None and connection.join_due == due and not any(connection.clients()):
            self._end(connection, Close.IDLE)

    def _slow(self, sid: str, due: float) -> None:
        connection = self._connections.get(sid)
        if connection is not None and connection.full_due == due:
            self._end(connection, Close.SLOW)

    # The end of it

    def sweep(self) -> None:
        """Forget connections that are gone before they are due."""
        for deadlines in self._all():
            deadlines.keep(self._connections)

    def close(self) -> None:
        """Let nothing come due any more."""
        for deadlines in self._all():
            deadlines.close()

    def _all(self) -> tuple[Deadlines, ...]:
        return self.pings, self.pongs, self.joins, self.writes
