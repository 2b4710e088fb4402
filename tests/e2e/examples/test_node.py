"""The chat in the terminal, on Node.js."""

import pytest

from tests.clients import Client
from tests.e2e.examples.running import ROOM, join, node_example, restart, said
from tests.proxies import Proxy
from tests.servers import ServerProcess

pytestmark = pytest.mark.node


@pytest.mark.slow
async def test_the_terminal_says_what_is_typed_and_shows_what_was_missed(
    server: ServerProcess, alice: Client
) -> None:
    async with (
        Proxy.before(server.port) as proxy,
        node_example("--name", "Nora", url=proxy.url) as program,
    ):
        await program.prints(f"nora in {ROOM}")  # it made the room
        room_id = await join(alice)
        await alice.say(room_id, "hello\x1b[2J nora")
        await program.prints("alice: hello [2J nora")
        program.type("@alice: hi")
        heard = await alice.event("chat", lambda message: message["from"] == "nora")
        assert heard["content"]["mentions"] == ["alice"]
        proxy.down()
        await program.prints("No connection")
        program.type("typed while away")
        await restart(server, alice)
        missed = [await alice.say(room_id, f"missed {n}") for n in range(3)]
        edit = {"message_id": missed[0]["id"], "client_id": "edit-0001"}
        await alice.call("edit_message", **edit, content={"text": "missed and edited"})
        proxy.up()
        await program.prints("nora: typed while away")
        lines = [line.partition(" ")[2] for line in program.lines]
        shown = [line for line in lines if line.startswith(("alice: missed", "nora: typed"))]
        assert shown == [
            "alice: missed and edited (edited)",
            "alice: missed 1",
            "alice: missed 2",
            "nora: typed while away",
        ]
        assert await program.ends() == 0
    assert [text for who, text in await said(alice, room_id) if who == "nora"] == [
        "@alice: hi",
        "typed while away",
    ]


async def test_the_terminal_says_one_thing_and_ends(server: ServerProcess, alice: Client) -> None:
    await alice.call("create_room", name=ROOM, type="public")
    token = ("--token", server.token("nora"))
    async with node_example(*token, url=server.url) as program:
        program.type("one thing")
        assert await program.ends() == 0
    assert await said(alice, await join(alice)) == [("nora", "one thing")]


@pytest.mark.slow
async def test_a_watcher_sees_and_is_no_member(server: ServerProcess, alice: Client) -> None:
    made = await alice.call("create_room", name=ROOM, type="public")
    room_id = made["room"]["id"]
    await alice.say(room_id, "before")
    async with node_example("--watch", url=server.url) as program:
        await program.prints("alice: before")
        await alice.say(room_id, "now")
        await program.prints("alice: now")
        await restart(server, alice)
        await alice.say(room_id, "later")
        await program.prints("alice: later")
    assert (await alice.call("room", room_id=room_id))["room"]["member_count"] == 1


async def test_the_terminal_says_why_it_cannot_sign_in(server: ServerProcess) -> None:
    async with node_example("--token", "nonsense", url=server.url) as program:
        assert await program.ends() == 1
        assert program.lines[-1] == "— This is no token."
    token = ("--token", server.token("nora", ttl_s=-60))
    async with node_example(*token, url=server.url) as program:
        assert await program.ends() == 1
        assert "unauthorized" in program.lines[-1]
