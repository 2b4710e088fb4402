"""Rooms and namespaces, next to those of python-socketio's own manager."""

# pyright: standard
# (python-socketio ships without types)

import asyncio
from typing import Any

import pytest
import socketio
from hypothesis import given
from hypothesis import strategies as st

from parley.server.engine.manager import LocalManager
from parley.server.engine.server import Server
from tests.server.engine.pipes import Client

NAMES = ("tea", "pub", 7, ("a", "b"))


def _due(server: Server) -> None:
    server.eio.fanout.flush()


async def test_a_client_is_in_its_own_room() -> None:
    """Its id is a room with nobody else in it from the beginning to the end."""
    server = Server()
    client = Client(server)
    assert server.rooms(client.sid) == [client.sid]
    assert list(server.manager.get_participants("/", client.sid)) == [
        (client.sid, client.connection.sid)
    ]
    await server.manager.disconnect(client.sid, "/")
    assert list(server.manager.get_participants("/", client.sid)) == []


async def test_nothing_is_left_of_who_is_forgotten() -> None:
    """Rooms, callbacks and namespaces are gone with the last client in them."""
    server = Server()
    clients = [Client(server), Client(server)]
    for client in clients:
        for name in ("tea", "pub"):
            await server.enter_room(client.sid, name)
        await server.emit("ask", to=client.sid, callback=lambda *_: None)
    manager = server.manager
    assert len(manager.callbacks) == 2
    manager.forget(clients[0].member)
    assert manager.sids("/", "tea") == [clients[1].sid]
    manager.forget(clients[1].member)
    manager.forget(clients[1].member)
    assert (manager._spaces, manager.callbacks) == ({}, {})
    assert server.rooms(clients[0].sid) == []


async def test_a_client_is_connected_between_its_beginning_and_its_end() -> None:
    """It is not before it was let in, nor while it leaves, nor afterwards."""
    server = Server()
    client, manager = Client(server), server.manager
    states = [manager.is_connected(client.sid, "/")]
    client.member.live = False
    states.append(manager.is_connected(client.sid, "/"))
    client.member.live = True
    states.append(await manager.can_disconnect(client.sid, "/"))
    assert manager.pre_disconnect(client.sid, "/") == client.connection.sid
    states.append(manager.is_connected(client.sid, "/"))
    await manager.disconnect(client.sid, "/")
    states.append(manager.is_connected(client.sid, "/"))
    states.append(manager.is_connected(client.sid, "/other"))
    assert states == [True, False, True, False, False, False]


async def test_ids_lead_to_one_another() -> None:
    """A connection's id leads to its client's in a namespace, and back."""
    server = Server()
    client, manager = Client(server, "/chat"), server.manager
    assert manager.sid_from_eio_sid(client.connection.sid, "/chat") == client.sid
    assert manager.eio_sid_from_sid(client.sid, "/chat") == client.connection.sid
    assert manager.sid_from_eio_sid(client.connection.sid, "/") is None
    assert manager.sid_from_eio_sid("nobody", "/chat") is None
    assert manager.eio_sid_from_sid("nobody", "/chat") is None
    assert manager.pre_disconnect("nobody", "/chat") is None
    assert list(manager.get_namespaces()) == ["/chat"]


@pytest.mark.parametrize(("sid", "namespace"), [("nobody", "/"), ("nobody", "/none")])
async def test_who_is_not_there_enters_no_room(sid: str, namespace: str) -> None:
    """ValueError is raised, and no room is made, when nobody has that id."""
    server = Server()
    Client(server)
    with pytest.raises(ValueError, match="not connected"):
        await server.enter_room(sid, "tea", namespace=namespace)
    await server.leave_room(sid, "tea", namespace=namespace)
    assert server.manager.sids(namespace, "tea") == []


async def test_the_room_of_another_client_is_closed_to_all() -> None:
    """ValueError is raised when a client should enter, or lose, what is another's own room."""
    server = Server()
    client, other = Client(server), Client(server)
    with pytest.raises(ValueError, match="sid room"):
        await server.enter_room(client.sid, other.sid)
    with pytest.raises(ValueError, match="sid room"):
        await server.close_room(other.sid)


async def test_a_client_may_enter_its_own_room() -> None:
    """Nothing happens when a client enters the room that it is in by its id."""
    server = Server()
    client = Client(server)
    await server.enter_room(client.sid, client.sid)
    await server.emit("n", 1, to=client.sid)
    _due(server)
    assert client.events() == [["n", 1]]


async def test_a_name_means_something_else_in_another_namespace() -> None:
    """Only members of the same namespace hear what goes to a room."""
    server = Server()
    here, there = Client(server, "/here"), Client(server, "/there")
    await server.enter_room(here.sid, "tea", namespace="/here")
    await server.enter_room(there.sid, "tea", namespace="/there")
    await server.emit("n", 1, to="tea", namespace="/here")
    _due(server)
    assert (here.events(), there.events()) == ([["n", 1]], [])


async def test_delivery_finds_rooms_and_clients_and_nobody() -> None:
    """One call reaches a room, or one client, and nothing is raised when there is neither."""
    server = Server()
    client, other = Client(server), Client(server)
    for each in (client, other):
        await server.enter_room(each.sid, "tea")
    deliver = server.manager.deliver
    deliver("/", "n", 1, room="tea")
    deliver("/", "n", 2, room="tea", skip=[other.sid])
    deliver("/", "n", 3, room=other.sid)
    deliver("/", "n", 4, room="tea", ephemeral=True)
    deliver("/", "n", 5, room="nobody")
    deliver("/none", "n", 6, room="tea")
    _due(server)
    assert client.events() == [["n", 1], ["n", 2], ["n", 4]]
    assert other.events() == [["n", 1], ["n", 3], ["n", 4]]


class Pair:
    """The same clients in our manager and in the stock one."""

    def __init__(self) -> None:
        self.ours = Server()
        self.stock: Any = socketio.AsyncServer(async_mode="aiohttp")
        self.sids: list[tuple[str, str]] = []

    async def begin(self) -> None:
        """Let three clients in."""
        for n in range(3):
            theirs = await self.stock.manager.connect(f"connection-{n}", "/")
            self.sids.append((Client(self.ours).sid, theirs))

    async def both(self, call: str, client: int | None, *arguments: Any) -> None:
        """Do the same to both; both raise or neither does."""
        outcomes: list[bool] = []
        for n, server in enumerate((self.ours, self.stock)):
            sid = [] if client is None else [self.sids[client][n]]
            try:
                await getattr(server, call)(*sid, *arguments)
            except (ValueError, KeyError):
                outcomes.append(False)
            else:
                outcomes.append(True)
        assert outcomes[0] is outcomes[1], (call, client, arguments)

    def seen(self, which: int) -> tuple[Any, ...]:
        """Return what can be asked of one of them, with clients by number."""
        manager = (self.ours, self.stock)[which].manager
        numbers = {pair[which]: n for n, pair in enumerate(self.sids)}
        inside = [
            {numbers[sid] for sid, _ in manager.get_participants("/", room)}
            for room in (*NAMES, None, ["tea", "pub"])
        ]
        rooms = [
            {numbers.get(room, room) for room in manager.get_rooms(sid, "/")} for sid in numbers
        ]
        return inside, rooms, [manager.is_connected(sid, "/") for sid in numbers]


_WHO, _ROOM = st.integers(0, 2), st.sampled_from(NAMES[:3])
_CALLS = st.one_of(
    st.tuples(st.just("enter_room"), _WHO, _ROOM),
    st.tuples(st.just("enter_room"), _WHO, _ROOM),
    st.tuples(st.just("leave_room"), _WHO, _ROOM),
    st.tuples(st.just("close_room"), st.none(), _ROOM),
    st.tuples(st.just("disconnect"), _WHO),
)


@given(st.lists(_CALLS, max_size=25))
def test_rooms_are_those_of_the_stock_manager(calls: list[tuple[Any, ...]]) -> None:
    """Members, rooms and who is connected are the same, whatever was called."""

    async def play() -> None:
        pair = Pair()
        await pair.begin()
        for call in calls:
            await pair.both(*call)
            assert pair.seen(0) == pair.seen(1)

    asyncio.run(play())


def test_the_stock_methods_are_all_ours() -> None:
    """No method of the stock manager is left that would look into its empty tables."""
    kept = {"can_disconnect", "enter_room", "leave_room", "close_room", "trigger_callback"}
    kept |= {"set_server", "initialize", "_get_logger"}
    unused = {"pre_connect", "connect", "basic_disconnect", "is_sid_room"}
    stock = {
        name
        for name in (*vars(socketio.AsyncManager), *vars(socketio.AsyncManager.__mro__[1]))
        if not name.startswith("__")
    }
    assert stock - set(vars(LocalManager)) - kept - unused == set()
