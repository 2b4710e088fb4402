"""Everybody hears exactly what was meant for them, in the order of the calls."""

# pyright: standard
# (python-socketio ships without types)

import asyncio
from collections import defaultdict
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parley.server.engine.server import Server
from tests.server.engine.pipes import FULL, Client

CLIENTS, ROOMS = 3, ("tea", "pub", "inn")

_CLIENT = st.integers(0, CLIENTS - 1)
_ROOM = st.sampled_from(ROOMS)
_STEPS = st.one_of(
    st.tuples(st.just("room"), _ROOM),
    st.tuples(st.just("room"), _ROOM),
    st.tuples(st.just("bytes"), _ROOM),
    st.tuples(st.just("but"), _ROOM, _CLIENT),
    st.tuples(st.just("rooms")),
    st.tuples(st.just("all")),
    st.tuples(st.just("one"), _CLIENT),
    st.tuples(st.just("one"), _CLIENT),
    st.tuples(st.just("enter"), _CLIENT, _ROOM),
    st.tuples(st.just("enter"), _CLIENT, _ROOM),
    st.tuples(st.just("leave"), _CLIENT, _ROOM),
    st.tuples(st.just("close"), _ROOM),
    st.tuples(st.just("flush")),
    st.tuples(st.just("read"), _CLIENT),
    st.tuples(st.just("large"), _ROOM),
)


class Play:
    """A server and a model of what each of its clients should hear."""

    def __init__(self) -> None:
        self.server = Server()
        self.clients = [Client(self.server) for _ in range(CLIENTS)]
        self.rooms: dict[str, set[int]] = defaultdict(set)
        self.expected: list[list[Any]] = [[] for _ in range(CLIENTS)]
        self._number = 0

    async def gather(self) -> None:
        """Let everybody into every room: one room may overtake another."""
        for client in range(CLIENTS):
            for room in ROOMS:
                await self._enter(client, room)

    async def step(self, what: str, *where: Any) -> None:
        """Do one thing to both."""
        await getattr(self, f"_{what}")(*where)

    async def _say(self, audience: set[int], *data: Any, **options: Any) -> None:
        self._number += 1
        await self.server.emit("n", (self._number, *data), **options)
        for index in audience:
            places = [{"_placeholder": True, "num": n} for n, _ in enumerate(data)]
            plain = data if not any(isinstance(piece, bytes) for piece in data) else places
            self.expected[index].append(["n", self._number, *plain])
            self.expected[index] += [piece for piece in data if isinstance(piece, bytes)]

    async def _room(self, room: str) -> None:
        await self._say(self.rooms[room], to=room)

    async def _bytes(self, room: str) -> None:
        await self._say(self.rooms[room], b"\x01", b"", to=room)

    async def _large(self, room: str) -> None:
        await self._say(self.rooms[room], "x" * FULL, to=room)

    async def _but(self, room: str, client: int) -> None:
        skip = self.clients[client].sid
        await self._say(self.rooms[room] - {client}, to=room, skip_sid=skip)

    async def _rooms(self) -> None:
        await self._say(set[int]().union(*self.rooms.values()), to=list(ROOMS))

    async def _all(self) -> None:
        await self._say(set(range(CLIENTS)))

    async def _one(self, client: int) -> None:
        await self._say({client}, to=self.clients[client].sid)

    async def _enter(self, client: int, room: str) -> None:
        await self.server.enter_room(self.clients[client].sid, room)
        self.rooms[room].add(client)

    async def _leave(self, client: int, room: str) -> None:
        await self.server.leave_room(self.clients[client].sid, room)
        self.rooms[room].discard(client)

    async def _close(self, room: str) -> None:
        await self.server.close_room(room)
        self.rooms[room].clear()

    async def _flush(self) -> None:
        self.server.eio.fanout.flush()

    async def _read(self, client: int) -> None:
        # A transport has room again between two steps of the loop: what was due has left.
        self.server.eio.fanout.flush()
        self.clients[client].pipe.drain()


@settings(max_examples=300, deadline=None)
@given(st.lists(_STEPS, max_size=30))
def test_each_client_hears_what_it_should_in_the_order_of_the_calls(
    steps: list[tuple[Any, ...]],
) -> None:
    """What arrives is what a simple model says, however sends and rooms are mixed."""

    async def play() -> None:
        played = Play()
        await played.gather()
        for step in steps:
            await played.step(*step)
        played.server.eio.fanout.flush()
        assert [client.events() for client in played.clients] == played.expected
        assert played.server.eio.fanout.due == []

    asyncio.run(play())


_TURNS: dict[str, list[tuple[Any, ...]]] = {
    "rooms take turns": [("room", "tea"), ("room", "pub"), ("room", "tea")],
    "a member leaves": [("room", "tea"), ("room", "pub"), ("leave", 0, "pub")],
    "somebody comes": [("leave", 1, "pub"), ("room", "tea"), ("room", "pub"), ("enter", 1, "pub")],
    "a room is closed": [("room", "tea"), ("room", "pub"), ("close", "pub")],
    "another hears something": [("leave", 1, "tea"), ("room", "tea"), ("room", "pub"), ("one", 1)],
    "somebody is passed over": [("room", "tea"), ("room", "pub"), ("but", "pub", 1)],
}


@pytest.mark.parametrize("steps", _TURNS.values(), ids=_TURNS)
async def test_no_room_overtakes_another(steps: list[tuple[Any, ...]]) -> None:
    """A client in two rooms hears them in the order of the calls, whichever has to leave first."""
    played = Play()
    await played.gather()
    for step in steps:
        await played.step(*step)
    played.server.eio.fanout.flush()
    assert [client.events() for client in played.clients] == played.expected


async def test_frames_of_one_step_leave_in_one_write() -> None:
    """Several messages cost one write for each client when they are due together."""
    server = Server()
    client = Client(server)
    await server.enter_room(client.sid, "tea")
    for n in range(5):
        await server.emit("n", n, to="tea")
    assert client.pipe.writes == []
    for n in range(5):
        await server.emit("own", n, to=client.sid)
    server.eio.fanout.flush()
    assert [write.count(b"42[") for write in client.pipe.writes] == [
        5,
        5,
    ]  # through the room, and not


async def test_two_rooms_that_hear_the_same_are_joined_too() -> None:
    """Members and watchers get one write each when several messages are for both."""
    server = Server()
    member, watcher = Client(server), Client(server)
    await server.enter_room(member.sid, "tea")
    await server.enter_room(watcher.sid, "window")
    for n in range(3):
        server.manager.deliver("/", "n", n, room="tea", also="window")
    server.manager.deliver("/", "n", 3, room="window", also="tea", ephemeral=True)
    server.manager.deliver("/", "n", 4, room="nobody", also="window", skip=[member.sid])
    server.eio.fanout.flush()
    assert member.events() == [["n", n] for n in range(4)]
    assert watcher.events() == [["n", n] for n in range(5)]
    writes = [[write.count(b"42[") for write in client.pipe.writes] for client in (member, watcher)]
    assert writes == [[3, 1], [3, 2]]


async def test_the_flush_comes_by_itself() -> None:
    """What was sent has left after one turn of the loop."""
    server = Server()
    client = Client(server)
    await server.enter_room(client.sid, "tea")
    await server.emit("n", 1, to="tea")
    await asyncio.sleep(0)
    assert client.events() == [["n", 1]]


async def test_who_falls_behind_does_not_disturb_the_order_of_others() -> None:
    """A message keeps its place when its delivery ends another client's connection.

    The disconnect handler of that client speaks to the others, before they were all served.
    """
    server = Server(queue_bytes=270)
    slow, fast = Client(server), Client(server)

    async def gone(sid: str, reason: str) -> None:
        await server.emit("left", to=fast.sid)

    server.on("disconnect", gone)
    for client in (slow, fast):
        await server.enter_room(client.sid, "tea")
    # Nothing of the room waits for her, so nothing of it can give way.
    await server.emit("own", "x" * FULL, to=slow.sid)
    server.eio.fanout.flush()
    await server.emit("own", "x" * 250, to=slow.sid)
    await server.emit("n", 1, to="tea")
    server.eio.fanout.flush()
    await asyncio.sleep(0)
    assert slow.connection.closed
    assert fast.events() == [["n", 1], ["left"]]


async def test_what_was_due_in_a_room_leaves_before_its_member_does() -> None:
    """A client hears what was sent to its room before it left, entered, or was sent away."""
    server = Server()
    client, other = Client(server), Client(server)
    for each in (client, other):
        await server.enter_room(each.sid, "tea")
    await server.emit("n", 1, to="tea")
    await server.leave_room(client.sid, "tea")
    await server.emit("n", 2, to="tea")
    await server.disconnect(other.sid)
    server.eio.fanout.flush()
    assert client.events() == [["n", 1]]
    assert other.events() == [["n", 1], ["n", 2], "41"]
