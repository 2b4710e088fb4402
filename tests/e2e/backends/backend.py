"""A backend with one of python-socketio's managers, in a process of its own.

It does what stands in a line of its standard input, a method with its arguments, and answers with
a line for each: ``done``, or what was raised.
"""

import ast
import asyncio
import contextlib
import inspect
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import socketio

from tests.clients import ChatClient, Client
from tests.programs import Program
from tests.servers import ServerProcess

Nodes = tuple[ServerProcess, ServerProcess]
Visit = Callable[[ServerProcess, str], Awaitable[Client]]
"""Connects a user to a node, with the stock client for Python."""

EVENTS = frozenset({"weather", "fence"})  # the application's own

both_managers = pytest.mark.parametrize("manager", ["RedisManager", "AsyncRedisManager"])


class Backend:
    """A running one."""

    def __init__(self, program: Program) -> None:
        self._program = program

    @classmethod
    @contextlib.asynccontextmanager
    async def running(cls, manager: str, url: str) -> AsyncGenerator["Backend"]:
        """Start it with ``RedisManager`` or ``AsyncRedisManager``; end it in the end."""
        command = [sys.executable, "-m", "tests.e2e.backends.backend", manager, url]
        async with Program.running(command, cwd=Path(__file__).parents[3]) as program:
            yield cls(program)

    async def call(self, method: str, *args: Any, **kwargs: Any) -> str:
        """Call a method of the manager and return the answer."""
        count = len(self._program.lines)
        self._program.type(repr((method, args, kwargs)))
        return await self._program.prints("", after=count)


def sid(client: Client) -> str:
    """Return Socket.IO's id of a client."""
    return str(client.io.get_sid("/chat"))


async def fence(backend: Backend, *clients: ChatClient) -> None:
    """Wait until the clients have heard all that was published so far."""
    await backend.call("emit", "fence", "x", namespace="/chat")
    for client in clients:
        await client.event("fence")


async def main(name: str, url: str) -> None:
    """Do what comes in."""
    manager = getattr(socketio, name)(url, write_only=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        method, args, kwargs = ast.literal_eval(line)
        try:
            called = getattr(manager, method)(*args, **kwargs)
            if inspect.isawaitable(called):
                await called
        except Exception as error:
            answer = repr(error)
        else:
            answer = "done"
        sys.stdout.write(f"{answer}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
