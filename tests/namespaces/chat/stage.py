"""One node with users who have two sockets each, where every request is through when it returns.

The first socket follows the client's rule, as a page does; by the second the test asks. Whatever
either of them is sent is kept until the next request.
"""

import asyncio
import json
import sqlite3
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest

from parley.namespaces.chat import sync
from parley.storage.models import Timestamp
from parley.storage.sqlite.connection import open_reading
from parley.storage.sqlite.database import FILE, Database
from tests.namespaces.chat.world import (
    Client,
    Delays,
    LossyBus,
    LossyCalls,
    Rule,
    at_noon,
    make_node,
)
from tests.storage.stores import sqlite_store

Wire = dict[str, Any]
T = TypeVar("T")


class PromptDatabase(Database):
    """Reads where it is asked: the turn of a thread costs five times what the read does."""

    reading: sqlite3.Connection

    async def read(self, query: Callable[[sqlite3.Connection], T]) -> T:
        """See `Database`."""
        return query(self.reading)


@dataclass
class Person:
    """A user, her page and her second socket."""

    name: str
    page: Client
    sid: str
    frames: list[tuple[str, str, Any]] = field(default_factory=list[tuple[str, str, Any]])


class Stage:
    """A node, its users and the time. Pages of a sync are so small that there are several."""

    page_rows = 5
    reset_messages = 6

    def __init__(self, rule: Rule, database: Database, names: tuple[str, ...]) -> None:
        self.now: int = at_noon()
        self._bus = LossyBus()
        delays = Delays()
        delays.open = True
        self.node = make_node(
            sqlite_store(database),
            delays,
            self._bus,
            LossyCalls(),
            now=lambda: Timestamp(self.now),
        )
        self.people = {name: self._person(rule, name) for name in names}
        self._serial = 0

    def _person(self, rule: Rule, name: str) -> Person:
        return Person(name, Client(f"{name}-page", name, rule, self.node), f"{name}-second")

    async def begin(self) -> None:
        """Connect everybody."""
        for person in self.people.values():
            self.node.wire.open(person.sid)
            await self.node.chat.trigger_event("connect", person.sid, {}, {"token": person.name})
            await self.node.chat.admitted(person.sid, {})
            await self.connect(person.name)

    async def end(self) -> None:
        """Disconnect everybody."""
        for sid in list(self.node.chat.sessions):
            await self.node.chat.trigger_event("disconnect", sid, "transport close")

    async def connect(self, name: str) -> None:
        """Connect a user's page with what it has."""
        self._serial += 1
        await self.people[name].page.connect(self.node, self._serial)
        await self._calm()

    async def reconnect(self, name: str, *, anew: bool) -> None:
        """Lose a page's connection and come back, perhaps on a device that knows nothing."""
        page = self.people[name].page
        await page.lose_connection()
        if anew:
            for room_id in list(page.rooms):
                page.forget(room_id)
        await self.connect(name)

    async def ask(self, name: str, event: str, payload: Wire, *, by_page: bool = False) -> Wire:
        """Return the ack of a request, when all that it led to is over."""
        person = self.people[name]
        if by_page:
            await person.page.request(event, payload, "asked")
            await self._calm()
            ack: Wire = person.page.acks.pop("asked")
            return ack
        acks: list[Wire] = []
        args = [event, payload]
        session = self.node.chat.sessions[person.sid]
        self.node.chat.receive(session, args, size=0, reply=acks.append)
        await self._calm()
        ack = json.loads(json.dumps(acks[0]))
        person.frames.append((person.sid, "ack", ack))
        return ack

    def take_frames(self, name: str) -> list[tuple[str, str, Any]]:
        """Return what a user was sent since this was last called: socket, event, data."""
        frames, self.people[name].frames = self.people[name].frames, []
        return frames

    async def _calm(self) -> None:
        """Let everything arrive, and every page read and answer it."""
        moved = True
        while moved:
            assert not self.node.wire.closed
            moved = False
            for session in list(self.node.chat.sessions.values()):
                await session.mailbox.idle()
            while self._bus.on_the_way:
                listener, payload = self._bus.on_the_way.pop(0)
                await listener(payload)
            for person in self.people.values():
                moved = await self._read(person) or moved
            if not moved and not all(p.page.resumed for p in self.people.values() if p.page.sid):
                moved = True
                await asyncio.sleep(0)

    async def _read(self, person: Person) -> bool:
        outboxes, page, moved = self.node.wire.outboxes, person.page, False
        while outboxes.get(page.sid):
            person.frames.append((page.sid, *await page.read()))
            moved = True
        while outboxes.get(person.sid):
            person.frames.append((person.sid, *self.node.wire.read(person.sid)))
        return moved


@asynccontextmanager
async def staged(rule: Rule, folder: Path, names: tuple[str, ...]) -> AsyncGenerator[Stage]:
    """Open a stage over an empty database."""
    rule("clear")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sync, "PAGE_ROWS", Stage.page_rows)
        patch.setattr(sync, "RESET_MESSAGES", Stage.reset_messages)
        async with PromptDatabase.open(folder) as database:
            database.reading = open_reading(folder / FILE)
            stage = Stage(rule, database, names)
            await stage.begin()
            try:
                yield stage
            finally:
                await stage.end()
                database.reading.close()
