"""Stock Socket.IO clients with what a test needs around them: acks, waiting, a record."""

import asyncio
import itertools
from collections.abc import Callable, Mapping
from typing import Any, cast

import socketio

WAIT_S = 10.0
_serial = itertools.count(1)


class Refused(Exception):
    """An ack said no; carries the error body."""

    def __init__(self, error: Mapping[str, Any]) -> None:
        super().__init__(f"{error['code']}: {error['message']}")
        self.error = error
        self.code: str = error["code"]


class Client:
    """python-socketio's client in ``/chat``, as one user."""

    def __init__(self, **options: Any) -> None:
        self.io = socketio.AsyncClient(reconnection=False, **options)
        self.events: list[tuple[str, Any]] = []
        self.disconnected = asyncio.Event()
        self._changed = asyncio.Condition()
        self.io.on("*", self._record, namespace="/chat")
        self.io.on("disconnect", self._gone, namespace="/chat")

    async def connect(
        self,
        url: str,
        token: str,
        *,
        since: Mapping[str, str | None] | None = None,
        transports: list[str] | None = None,
    ) -> "Client":
        """Connect and wait for the CONNECT answer."""
        auth: dict[str, Any] = {"token": token}
        if since is not None:
            auth["since"] = since
        await self.io.connect(
            url,
            auth=auth,
            namespaces=["/chat"],
            transports=transports or ["websocket"],
            wait_timeout=WAIT_S,
        )
        return self

    async def ready(self) -> list[Any]:
        """Wait until the catch-up is done and return its ``sync`` events."""
        await self.event("sync", lambda data: data.get("done") is True)
        return [data for name, data in self.events if name == "sync"]

    async def ack(self, event: str, payload: Any) -> dict[str, Any]:
        """Send one event and return its whole ack."""
        ack = await self.io.call(event, payload, namespace="/chat", timeout=WAIT_S)
        return cast("dict[str, Any]", ack)

    async def call(self, event: str, **payload: Any) -> Any:
        """Send one event and return its data; raise `Refused` with its error."""
        ack = await self.ack(event, payload)
        if not ack["ok"]:
            raise Refused(ack["error"])
        return ack["data"]

    async def say(self, room_id: str, text: str, client_id: str | None = None) -> Any:
        """Send one message to a room."""
        content = {"text": text}
        return await self.call(
            "chat", room_id=room_id, client_id=client_id or new_client_id(), content=content
        )

    async def event(
        self, name: str, matches: Callable[[Any], bool] = lambda _: True
    ) -> Any:
        """Return the data of the first event that matches, past or to come."""

        def found() -> Any:
            return next((d for n, d in self.events if n == name and matches(d)), None)

        async with self._changed:
            await asyncio.wait_for(
                self._changed.wait_for(lambda: found() is not None), WAIT_S
            )
        return found()

    def of(self, name: str) -> list[Any]:
        """Return the data of every event of a name so far."""
        return [data for event, data in self.events if event == name]

    async def close(self) -> None:
        """Disconnect."""
        await self.io.disconnect()

    async def cut(self) -> None:
        """Lose the connection without a word, as a phone in a tunnel does."""
        await self.io.eio.ws.close()
        await self.disconnected.wait()

    async def _record(self, event: str, data: Any = None) -> None:
        async with self._changed:
            self.events.append((event, data))
            self._changed.notify_all()

    async def _gone(self, reason: str) -> None:
        self.disconnected.set()


def new_client_id() -> str:
    """Return a client_id that no other test uses."""
    return f"test-{next(_serial):08d}"
