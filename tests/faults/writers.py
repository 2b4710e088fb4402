"""Clients that go on writing whatever happens to the server, and what reads it all back."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

from tests.clients import WAIT_S, ChatClient, Lost, new_client_id
from tests.faults.history import Message, Record, Send

PAGE = 200
LOG = ("chat", "join_room", "leave_room")  # events that are rows of the log, as used here


class Progress:
    """How many messages were acked by all writers together; lets a test wait for a number."""

    def __init__(self) -> None:
        self.acked = 0
        self._changed = asyncio.Event()

    def count(self) -> None:
        """Count one more."""
        self.acked += 1
        self._changed.set()

    async def reaches(self, number: int) -> None:
        """Wait until that many were acked."""
        while self.acked < number:
            self._changed.clear()
            await asyncio.wait_for(self._changed.wait(), WAIT_S)


class Writer:
    """Says things, several at a time, each until it is acked.

    What was not acked is sent again, in order, before anything new: so the order of a writer
    holds over any fault. Its client comes back by itself. It is not faster than ``reader`` hears:
    else what one process writes piles up for what another reads, and its acks behind that.
    """

    def __init__(
        self,
        client: ChatClient,
        name: str,
        room_id: str,
        *,
        reader: ChatClient,
        record: Record,
        progress: Progress,
        at_once: int = 8,
    ) -> None:
        self.client = client
        self._name = name
        self._room_id = room_id
        self._reader = reader
        self._record = record
        self._progress = progress
        self._at_once = at_once
        self._open: list[Send] = []  # said and not acked

    async def write(self, enough: Callable[[], bool]) -> None:
        """Say new things until there is ``enough``, then finish what is open."""
        while self._open or not enough():
            while len(self._open) < self._at_once and not enough():
                self.say(1)
            await self.finish()

    def say(self, count: int) -> None:
        """Have more to send."""
        for _ in range(count):
            client_id = new_client_id()
            text = f"{self._name} says {client_id}"
            self._open.append(self._record.send(self._name, text, client_id))

    async def finish(self) -> None:
        """Send what is open, over as many connections as it takes."""
        while self._open:
            await self.client.connected.wait()
            await self.send()

    async def send(self) -> None:
        """Send the first of what is open, once, in one tick."""
        sends = self._open[: self._at_once]
        for send in sends:
            send.tries += 1
        acks = await self.client.burst([self._event(send) for send in sends])
        for send, ack in zip(sends, acks, strict=True):
            if not isinstance(ack, Lost):
                self._take(send, ack)
        await self._reader.hears(
            max((ack["seq"] for send in sends for ack in send.acks), default=0)
        )

    def _take(self, send: Send, ack: dict[str, Any]) -> None:
        send.refused = not ack["ok"]
        if send.refused:
            assert ack["error"]["retryable"], ack
        else:
            send.acks.append(ack["data"])
            self._open.remove(send)
            self._progress.count()

    def _event(self, send: Send) -> tuple[str, dict[str, Any]]:
        room_id, content = self._room_id, {"text": send.text}
        return "chat", {"room_id": room_id, "client_id": send.client_id, "content": content}


async def whole_history(
    reader: ChatClient, room_id: str, record: Record, *, after: int = 0
) -> list[Message]:
    """Return every message of a room beyond ``after``, by rising ``seq``."""
    messages: list[Message] = []
    more = True
    while more:
        page = await reader.call("history", room_id=room_id, after=after, limit=PAGE)
        record.head("the reader of history", page["head"])
        messages += page["messages"]
        more = page["more"]
        after = messages[-1]["seq"] if messages else after
    return messages


def seen_live(client: ChatClient) -> Iterator[list[Message]]:
    """Yield what a client in one room saw, apart for each of its connections."""
    stretch: list[Message] = []
    for name, data in client.events:
        if name in LOG:
            stretch.append(data)
        elif name in ("@connect", "room_behind"):
            yield stretch
            stretch = []
    yield stretch
