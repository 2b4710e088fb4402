"""The bot: one answer for each message, whatever happens to it, to the network or to the server."""

from collections import Counter
from pathlib import Path

import pytest

from tests.clients import Client
from tests.e2e.examples.running import ROOM, Running, join, python_example, restart
from tests.proxies import Proxy
from tests.servers import ServerProcess


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """Return where the bot keeps its cursors."""
    return tmp_path / "state.json"


def bot(state: Path, url: str) -> Running:
    return python_example("bot.py", "--state", str(state), url=url)


async def answer(client: Client, message_id: str, event: str = "chat") -> str:
    """Wait for the answer to a message and return its text."""
    found = await client.event(event, lambda m: m["content"].get("reply_to") == message_id)
    text: str = found["content"]["text"]
    return text


async def answers(client: Client, room_id: str) -> Counter[str]:
    """Return how many answers of the bot each message has."""
    page = await client.call("history", room_id=room_id, limit=200)
    return Counter(m["content"]["reply_to"] for m in page["messages"] if "metadata" in m)


async def test_the_bot_answers_what_is_for_it_and_nothing_else(
    server: ServerProcess, alice: Client, state: Path
) -> None:
    async with bot(state, server.url) as program:
        await program.prints(f"bot listens in {ROOM}")  # it made the room
        room_id = await join(alice)
        echo = await alice.say(room_id, "!echo one  two")
        content = {"text": "@bot !echo three", "mentions": ["bot"]}
        named = await alice.call("chat", room_id=room_id, client_id="mention-1", content=content)
        plain = await alice.say(room_id, "nobody in particular")
        changed = await alice.say(room_id, "!time")
        assert "UTC" in await answer(alice, changed["id"])
        edit = {"message_id": changed["id"], "client_id": "edit-0001"}
        await alice.call("edit_message", **edit, content={"text": "!echo another answer"})
        last = await alice.say(room_id, "!help")
        assert "!echo" in await answer(alice, last["id"])
        assert await answer(alice, echo["id"]) == "one  two"
        assert await answer(alice, named["id"]) == "three"
        answered = [echo, named, changed, last]
        assert plain not in answered
        assert await answers(alice, room_id) == {message["id"]: 1 for message in answered}
        content = {"text": "!echo psst"}
        whisper = await alice.call("private", to="bot", client_id="whisper-1", content=content)
        assert await answer(alice, whisper["id"], "private") == "psst"
        program.interrupt()
        assert await program.ends() == 0
        assert program.lines[-1].endswith("Stopped.")


@pytest.mark.slow
async def test_a_bot_that_is_killed_answers_what_it_missed_and_nothing_twice(
    server: ServerProcess, alice: Client, state: Path
) -> None:
    async with bot(state, server.url) as program:
        await program.prints("listens")
        room_id = await join(alice)
        first = await alice.say(room_id, "!help")
        await program.prints(f"{first['id']} of alice: answered")
        sent = [await alice.say(room_id, f"!echo {n}") for n in range(20)]
        sent.append(await alice.say(room_id, "!time"))  # has other words each time
        before = state.read_bytes()  # noqa: ASYNC240 - nothing else waits for this loop
        await answer(alice, sent[3]["id"])
        await program.kill()
    sent += [await alice.say(room_id, f"!echo {n}") for n in range(20, 25)]
    async with bot(state, server.url) as program:
        await program.prints("listens")
    once = {message["id"]: 1 for message in [first, *sent]}
    assert await answers(alice, room_id) == once
    # As if it had been killed each time just before it wrote down how far it was.
    state.write_bytes(before)  # noqa: ASYNC240
    async with bot(state, server.url) as program:
        await program.prints("listens")
        assert not any(line.endswith(": answered") for line in program.lines)
        assert f"{sent[20]['id']} of alice: had its answer" in "\n".join(program.lines)
    assert await answers(alice, room_id) == once


@pytest.mark.slow
async def test_the_bot_goes_on_after_lost_acks_and_lost_servers(
    server: ServerProcess, alice: Client, state: Path
) -> None:
    await alice.call("create_room", name=ROOM, type="public")
    async with Proxy.before(server.port) as proxy, bot(state, proxy.url) as program:
        await program.prints("listens")
        room_id = await join(alice)
        proxy.mute_after = b"!echo this"  # so the ack of its answer does not arrive
        sent = [await alice.say(room_id, "!echo this")]
        await answer(alice, sent[0]["id"])
        proxy.cut()
        proxy.mute_after, proxy.muted = None, False
        await program.prints(f"{sent[0]['id']} of alice: had its answer")
        lines = len(program.lines)
        proxy.down()
        await program.prints("No connection", after=lines)
        sent.append(await alice.say(room_id, "!time"))
        await restart(server, alice)
        proxy.up()
        sent.append(await alice.say(room_id, "!help"))
        await program.prints(f"{sent[-1]['id']} of alice: answered")
        assert await answers(alice, room_id) == {message["id"]: 1 for message in sent}


async def test_the_bot_says_why_it_cannot_sign_in(server: ServerProcess, state: Path) -> None:
    command = ("bot.py", "--state", str(state))
    async with python_example(*command, "--token", "nonsense", url=server.url) as program:
        assert await program.ends() == 1
        assert program.lines[-1].startswith("unauthorized: ")
    async with python_example(*command, url="http://chat.example.org") as program:
        assert await program.ends() == 1
        assert "TOKEN" in program.lines[-1]
