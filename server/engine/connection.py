"""One Engine.IO session: what is sent on it, whatever carries it."""

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from parley.namespaces.transport import Close
from parley.server.engine.backlog import Backlog
from parley.server.engine.rooms import Member, Room

if TYPE_CHECKING:
    from parley.server.engine.engine import Engine
    from parley.server.engine.websocket import WebSocket


class Connection:
    """A client's Engine.IO connection, over long polling or a WebSocket.

    What it is sent is in one of three places: in the transport, while that takes everything; in
    `out`, until this step of the event loop is over; in the backlog, while the WebSocket is full
    or the client does not poll. What was given to a transport cannot be taken back, so what may
    have to give way stays in the backlog.
    """

    __slots__ = (
        "attempts",
        "awaits_pong",
        "backlog",
        "beat_due",
        "candidates",
        "closed",
        "engine",
        "environ",
        "full_due",
        "held",
        "incomplete",
        "join_due",
        "last",
        "leaving",
        "members",
        "out",
        "poll",
        "polled",
        "posting",
        "probing",
        "quick",
        "session",
        "sid",
        "waiters",
        "websocket",
    )

    def __init__(self, engine: "Engine", sid: str, environ: dict[str, Any]) -> None:
        self.engine = engine
        self.sid = sid
        self.environ = environ  # what handlers may know of the request; see `requests`
        self.session: Any = None  # python-socketio's, by namespace; made when it is asked for
        self.closed = False

        # Where frames go. `quick` is the WebSocket's transport while it takes everything and
        # nothing waits to go before.
        self.quick: asyncio.Transport | None = None
        self.out: list[bytes] | None = None
        self.backlog: Backlog | None = None
        self.websocket: WebSocket | None = None  # None: it polls
        self.full_due = 0.0  # when it is given up if the WebSocket is still full; 0: it is not
        self.waiters: list[tuple[int, asyncio.Future[None]]] | None = None

        # Polling. The future ends a poll that waits.
        self.poll: asyncio.Future[None] | None = None
        self.polled = False  # a GET is under way
        self.posting = False  # a POST is
        self.probing = False  # a WebSocket wants to take over, so polls end at once
        self.candidates: tuple[WebSocket, ...] = ()  # WebSockets that may come to want it
        self.held: asyncio.Future[None] | None = None  # until this is done, no more is read
        self.last: bytes | None = None  # the answer to a poll at the end; None: 400

        # When it is pinged or given up, and when it must have joined a namespace.
        self.beat_due = 0.0
        self.awaits_pong = False
        self.join_due = 0.0

        # Socket.IO above: by namespace; None where it was and is not any more.
        self.members: dict[str, Member | None] = {}
        self.incomplete: Any = None  # a packet whose attachments are missing
        self.attempts = 0  # to join a namespace, refused
        self.leaving = 0  # disconnect handlers that run

    @property
    def upgraded(self) -> bool:
        """Whether a WebSocket carries it. The name is python-engineio's."""
        return self.websocket is not None

    def clients(self) -> Iterable[Member]:
        """Yield who it is in each namespace."""
        return (member for member in self.members.values() if member is not None)

    # Sending

    def send(self, frame: bytes, *, room: Room | None = None, ephemeral: bool = False) -> None:
        """Send one frame, behind all that was sent before; to a closed connection nothing."""
        fanout = self.engine.fanout
        if fanout.due:
            fanout.flush_rooms_of(self)
        if self.out is not None:
            self.out.append(frame)
        elif self.quick is not None or self._deflates:
            self.quick = None  # until this has left, all that follows goes behind it
            self.out = [frame]
            fanout.flush_soon(self)
        else:
            self._wait(frame, room, ephemeral=ephemeral)

    def push(self, frames: list[bytes], room: Room) -> None:
        """Take a room's frames where `quick` is not there to take them."""
        if self.out is not None:
            self.out += frames
        elif self._deflates:
            self.out = list(frames)
            self.engine.fanout.flush_soon(self)
        else:
            for frame in frames:
                self._wait(frame, room, ephemeral=False)

    def cork(self) -> None:
        """Gather what is sent from now on until `flush`; the caller will call it in this step."""
        if self.quick is not None:
            self.quick = None
            self.out = []

    def flush(self) -> None:
        """Give the transport what was sent in this step."""
        out = self.out
        if out is None:
            return
        self.out = None
        if self.closed or self.websocket is None:
            return
        if self.full_due:  # the answer to a ping has filled it
            for frame in out:
                self._wait(frame, None, ephemeral=False)
        else:
            websocket = self.websocket
            if not websocket.deflates:
                self.quick = websocket.transport  # before the write, which may say that it is full
            if out:
                websocket.transport.write(websocket.joined(out))

    @property
    def _deflates(self) -> bool:
        """Whether frames are compressed, so that none goes straight to the transport.

        False also where they have to wait.
        """
        websocket = self.websocket
        return websocket is not None and websocket.deflates and not (self.full_due or self.closed)

    def _wait(self, frame: bytes, room: Room | None, *, ephemeral: bool) -> None:
        if self.closed:
            return
        if self.backlog is None:
            self.backlog = Backlog()
        backlog, most = self.backlog, self.engine.queue_bytes
        if ephemeral and backlog.size + len(frame) > most // 2:
            return
        crossed = backlog.size <= most // 2 < backlog.size + len(frame)
        backlog.add(frame, room, ephemeral=ephemeral)
        if crossed:
            backlog.shed()
        if backlog.size > most:
            self.engine.fanout.falls_behind(self)
        self.end_poll()

    def give_way(self) -> None:
        """Give up what can be caught up later: the rooms that hold most, one after the other."""
        while not self.closed and self.backlog and self.backlog.size > self.engine.queue_bytes:
            room = self.backlog.heaviest()
            if room is None:
                self.engine.close(self, Close.SLOW)
                return
            self.backlog.drop(room)
            self.engine.fell_behind(self, room)

    # The transport

    def take(self, most: int | None = None) -> list[bytes]:
        """Return what has waited longest, for the transport."""
        if self.backlog is None:
            return []
        frames = self.backlog.take(most)
        self._awake()
        return frames

    def end_poll(self) -> None:
        """Let a poll that waits be answered."""
        if self.poll is not None and not self.poll.done():
            self.poll.set_result(None)

    def carried_by(self, websocket: "WebSocket") -> None:
        """Go on over a WebSocket."""
        self.websocket = websocket
        self.probing = False
        self.end_poll()
        self.writable()
        self.turn_down(Close.PROTOCOL)

    def turn_down(self, how: Close) -> None:
        """End the WebSockets that do not carry it."""
        candidates, self.candidates = self.candidates, ()
        for candidate in candidates:
            if candidate is not self.websocket:
                candidate.end(how)

    def lost_candidate(self, websocket: "WebSocket", *, probed: bool) -> None:
        """Go on polling without a WebSocket that wanted to take over, or might have."""
        self.candidates = tuple(one for one in self.candidates if one is not websocket)
        if probed:
            self.probing = False

    def full(self) -> None:
        """Keep what comes: the transport takes no more for now."""
        self.quick = None
        self.engine.times.filled(self)

    def writable(self) -> None:
        """Give the transport what has waited, as far as it takes it."""
        self.full_due = 0.0
        if self.websocket is None or self.closed:
            return
        websocket = self.websocket
        # A write may fill the transport, and then says so by `full`.
        while not self.full_due and (frames := self.take(_AT_ONCE)):
            websocket.transport.write(websocket.joined(frames))
        if not self.full_due and not websocket.deflates:
            self.quick = websocket.transport

    async def waits_at_most(self, size: int) -> None:
        """Wait until no more than so many bytes wait for the transport, or it is closed."""
        self.flush()
        if self.closed or self.backlog is None or self.backlog.size <= size:
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waiters = [*(self.waiters or ()), (size, future)]
        await future

    def _awake(self) -> None:
        if self.waiters is None:
            return
        left = 0 if self.backlog is None or self.closed else self.backlog.size
        for size, future in self.waiters:
            if left <= size and not future.done():
                future.set_result(None)
        self.waiters = [(s, f) for s, f in self.waiters if not f.done()] or None

    # Reading

    def hold(self, space: "asyncio.Future[None]") -> None:
        """Read nothing more until there is space for it."""
        if self.held is space:
            return
        self.held = space
        if self.websocket is not None:
            self.websocket.transport.pause_reading()
            space.add_done_callback(self._resume)

    def _resume(self, _: "asyncio.Future[None]") -> None:
        if self.websocket is not None and not self.websocket.transport.is_closing():
            self.websocket.transport.resume_reading()

    async def read_on(self) -> None:
        """Wait until more may be read."""
        if self.held is not None:
            await asyncio.shield(self.held)

    def shut(self) -> None:
        """Take nothing more; what waits is lost. Called once, by the engine."""
        self.flush()
        self.closed = True
        self.quick = None
        self.backlog = None
        self._awake()
        self.end_poll()


_AT_ONCE = 64  # frames of a backlog that leave in one write; each write may fill the transport
