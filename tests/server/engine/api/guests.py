"""Stock clients of a plain `Server`: any events, no shapes, answers to what the server asks."""

# pyright: standard
# (python-socketio ships without types)

import asyncio
from typing import Any

from tests.clients import ChatClient, Client, Reply
from tests.node_client import NodeClient

NAMESPACE = "/chat"  # the one that the stock clients of the tests join


class _Guest(ChatClient):
    """A client that may hear anything; events are recorded with the list of their arguments."""

    def _record(self, name: str, data: Any = None) -> None:
        """See `ChatClient`; nothing is held to a shape."""
        self.events.append((name, data))
        for event, matches, found in self._waiting:
            if event == name and not found.done() and matches(data):
                found.set_result(data)

    def _answered(self, event: str, reply: Reply, ack: Any) -> None:
        """See `ChatClient`."""
        if not reply.done():
            reply.set_result(ack)

    async def ask(self, event: str, data: Any) -> Any:
        """Send one event and return its ack, which is anything here."""
        answer: Any = await asyncio.wait_for(self.ack(event, data), 10)
        return answer

    @property
    def heard(self) -> list[tuple[str, Any]]:
        """Return the events, without what happened to the connection."""
        return [(name, data) for name, data in self.events if not name.startswith("@")]

    async def up_to(self, name: str) -> list[tuple[str, Any]]:
        """Return what was heard when an event has come."""
        await self.event(name)
        return self.heard


class PythonGuest(_Guest, Client):
    """python-socketio's client; `answers` has what it answers when it is asked."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.answers: dict[str, Any] = {}

    async def _heard(self, event: str, data: Any = None, *more: Any) -> Any:
        await super()._heard(event, data, *more)
        return self.answers.get(event)


class NodeGuest(_Guest, NodeClient):
    """socket.io-client; bytes arrive as JSON has them."""


Guest = PythonGuest | NodeGuest


def as_bytes(data: Any) -> Any:
    """Return what was heard with Node's buffers as bytes."""
    match data:
        case {"type": "Buffer", "data": list(numbers)}:
            return bytes(numbers)
        case dict():
            return {key: as_bytes(value) for key, value in data.items()}
        case list():
            return [as_bytes(item) for item in data]
    return data
