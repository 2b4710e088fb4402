"""The programs of client-examples/, started by the commands of their readmes."""

import re
import shlex
import sys
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from tests.clients import Client
from tests.programs import Program
from tests.servers import ServerProcess

ROOT = Path(__file__).resolve().parents[3]
EXAMPLES = ROOT / "client-examples"
ROOM = "Tea"  # in the commands of the readmes

Running = AbstractAsyncContextManager[Program]


async def restart(server: ServerProcess, *clients: Client) -> None:
    """Kill the server, start it again and wait until the clients are back."""
    marks = [len(client.events) for client in clients]
    await server.kill()
    await server.start()
    for client, mark in zip(clients, marks, strict=True):
        await client.ready(after=mark)


async def join(client: Client) -> str:
    """Join the room of the readmes and return its id."""
    [view] = (await client.call("discover", q=ROOM))["rooms"]
    room_id: str = view["room"]["id"]
    await client.call("join_room", room_id=room_id)
    return room_id


async def said(client: Client, room_id: str) -> list[tuple[str, str]]:
    """Return who said what in a room, from the server's history."""
    page = await client.call("history", room_id=room_id, limit=200)
    return [(m["from"], m["content"]["text"]) for m in page["messages"] if m["type"] == "chat"]


def commands(example: str) -> list[str]:
    """Return the commands in a readme, each a block of one line."""
    return re.findall(r"```sh\n(.+)\n```", (EXAMPLES / example / "readme.md").read_text())


def python_example(words: str, *more: str, url: str) -> Running:
    """Run the first command of the readme with these words in it, behind a pipe or not."""
    command = next(line for line in commands("python") if words in line)
    program = shlex.split(command.rpartition("|")[2])
    assert program[0] == ".venv/bin/python"
    return Program.running([sys.executable, *program[1:], "--url", url, *more], cwd=ROOT)


def node_example(*more: str, url: str) -> Running:
    """Run the last part of the readme's command; the packages are there, by `npm ci`."""
    [command] = commands("node")
    folder, install, start = (shlex.split(part) for part in command.split("&&"))
    assert (folder, install) == (["cd", "client-examples/node"], ["npm", "ci"])
    return Program.running([*start, "--url", url, *more], cwd=ROOT / folder[1])
