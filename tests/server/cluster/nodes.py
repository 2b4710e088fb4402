"""A node's manager on a real Redis, in front of a client on a pipe."""

# pyright: standard
# (python-socketio ships without types)

import asyncio
from collections.abc import Callable
from typing import Any

from parley.server.cluster.manager import ClusterManager
from parley.server.engine.server import Server
from tests.server.engine.pipes import Client

WAIT_S = 20.0


class Node:
    """A server on Redis, and a client of it in the room ``tea``."""

    def __init__(self, url: str) -> None:
        self.manager: Any = ClusterManager(url)
        self.server = Server(client_manager=self.manager)
        self.client = Client(self.server)
        self.manager.basic_enter_room(self.client.sid, "/", "tea")

    def heard(self) -> list[Any]:
        """Return all that the client has heard."""
        self.server.eio.fanout.flush()
        return self.client.events()

    async def hears(self, what: Any) -> list[Any]:
        """Wait until the client has heard something, and return all it has."""
        await until(lambda: what in self.heard())
        return self.heard()


async def until(holds: Callable[[], bool]) -> None:
    """Return when something holds that nobody is told of."""
    async with asyncio.timeout(WAIT_S):
        while not holds():  # noqa: ASYNC110  # Redis tells nobody
            await asyncio.sleep(0.005)
