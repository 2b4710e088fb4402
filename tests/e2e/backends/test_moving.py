"""Backends put sockets into rooms of the application's own, and send them away."""

import pytest

from tests.e2e.backends.backend import Backend, Nodes, Visit, both_managers, fence, sid

pytestmark = [pytest.mark.mongo, pytest.mark.redis, pytest.mark.asyncio(loop_scope="module")]


@both_managers
async def test_a_backend_moves_sockets_of_every_node(
    nodes: Nodes, visit: Visit, backend: Backend
) -> None:
    """Into rooms of the application, out of them, and closes them; some may be skipped."""
    alice, bob = await visit(nodes[0], "alice"), await visit(nodes[1], "bob")
    for client in (alice, bob):
        assert await backend.call("enter_room", sid(client), "/chat", "lobby") == "done"
    await backend.call("emit", "weather", 1, namespace="/chat", room="lobby")
    await backend.call(
        "emit", "weather", 2, namespace="/chat", room="lobby", skip_sid=[sid(alice), "nobody"]
    )
    assert await backend.call("leave_room", sid(bob), "/chat", "lobby") == "done"
    await backend.call("emit", "weather", 3, namespace="/chat", room="lobby")
    assert await backend.call("close_room", "lobby", "/chat") == "done"
    await backend.call("emit", "weather", 4, namespace="/chat", room="lobby")
    await fence(backend, alice, bob)
    assert alice.of("weather") == [1, 3]
    assert bob.of("weather") == [1, 2]


async def test_a_backend_sends_a_socket_away(nodes: Nodes, visit: Visit, backend: Backend) -> None:
    """By `can_disconnect` of the asynchronous manager; its `disconnect` wants a server."""
    alice, bob = await visit(nodes[0], "alice"), await visit(nodes[1], "bob")
    assert "AttributeError" in await backend.call("disconnect", sid(alice), "/chat")
    assert await backend.call("can_disconnect", sid(bob), "/chat") == "done"
    await bob.disconnected.wait()
    await fence(backend, alice)
    assert alice.connected.is_set()


async def test_who_is_in_a_room_of_the_server_is_not_for_a_backend_to_say(
    nodes: Nodes, visit: Visit, backend: Backend
) -> None:
    """Nobody hears a room by it who is no member, and no member goes deaf."""
    node = nodes[0]
    alice, eve = await visit(node, "alice"), await visit(node, "eve")
    room_id = (await alice.call("create_room", name="Quiet", type="private"))["room"]["id"]
    for room in (f"room:{room_id}", f"watch:{room_id}", "user:alice"):
        await backend.call("enter_room", sid(eve), "/chat", room)
        await backend.call("leave_room", sid(alice), "/chat", room)
        await backend.call("close_room", room, "/chat")
    await fence(backend, alice, eve)
    await node.prints(b"dropped", b"decided by the server")
    await alice.say(room_id, "still here")
    await alice.event("chat")
    await backend.call("emit", "weather", 1, namespace="/chat", room=[f"room:{room_id}"])
    await alice.event("weather")
    await eve.call("rooms")
    assert not eve.of("chat")
    assert not eve.of("weather")
