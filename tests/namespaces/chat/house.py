"""A node without a network: the chat's own door, services and SQLite, and a clock to set."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from parley.namespaces.chat.assembly import ChatStorage, assemble
from parley.namespaces.identity import Identity
from parley.storage.expiring import Bus
from parley.storage.memory.bus import MemoryBus
from parley.storage.models import Draft, Message, Room, RoomId, Timestamp, UserId
from parley.storage.sqlite.database import Database
from parley.storage.sqlite.members import SqliteMembers
from parley.storage.sqlite.messages import SqliteMessages
from parley.storage.sqlite.rooms import SqliteRooms
from parley.storage.sqlite.users import SqliteUsers
from tests.namespaces.chat.world import Wire

START = 1_800_000_000_000  # what the clock says first


class ListenedWire(Wire):
    """A wire that tells when something was sent."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = asyncio.Event()

    def send(
        self,
        sid: str,
        event: str,
        data: Any,
        *,
        through: str | None = None,
        ephemeral: bool = False,
    ) -> None:
        """See `Transport`."""
        super().send(sid, event, data, through=through, ephemeral=ephemeral)
        self.sent.set()


class House:
    """One node and its sockets: one for each user, which hears nothing until it syncs."""

    def __init__(
        self,
        database: Database,
        *,
        bus: Bus | None = None,
        server_id: str = "test",
        **options: Any,
    ) -> None:
        """Take what else `assemble` does; without a ``bus`` there is no other node."""
        self.clock = START
        self.wire = ListenedWire()
        self.rooms = SqliteRooms(database)
        self.messages = SqliteMessages(database)
        self.chat = assemble(
            ChatStorage(
                rooms=self.rooms,
                members=SqliteMembers(database),
                messages=self.messages,
                users=SqliteUsers(database),
                bus=MemoryBus() if bus is None else bus,
            ),
            server_id=server_id,
            transport=self.wire,
            authenticate=lambda token: Identity(user_id=UserId(token), expires_at=2e9),
            digest_key=b"k" * 32,
            now=lambda: Timestamp(self.clock),
            **options,
        )

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, folder: Path) -> AsyncGenerator["House"]:
        """Run a node over a database of its own."""
        async with Database.open(folder) as database:
            yield cls(database)

    async def build(
        self, room: Room, founding: Iterable[Draft], said: Sequence[Draft] = ()
    ) -> list[Message]:
        """Store a room with these rows and return what was said there."""
        stored = await self.rooms.create(room, list(founding))
        outcomes = await self.messages.append(
            room.id, epoch=room.epoch, after=stored.head, drafts=said
        )
        return [outcome.message for outcome in outcomes]

    async def ask(self, user_id: str, event: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Send an event as somebody and return its ack."""
        if user_id not in self.wire.outboxes:
            self.wire.open(user_id)
            await self.chat.namespace.trigger_event("connect", user_id, {}, {"token": user_id})
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        session = self.chat.namespace.sessions[user_id]
        self.chat.namespace.receive(
            session, [event, dict(payload)], size=0, reply=answer.set_result
        )
        return await answer

    async def arrive(self, user_id: str) -> None:
        """Connect somebody as a client does, and let her catch up."""
        await self.ask(user_id, "rooms", {})
        await self.chat.namespace.admitted(user_id, {"token": user_id})
        while True:
            self.wire.sent.clear()
            if any(name == "sync" and data.get("done") for name, data in self.heard(user_id)):
                return
            await self.wire.sent.wait()

    def head(self, room_id: str) -> int:
        """Return the head of a room that was asked about; 0 where there is none any more."""
        feed = self.chat.feeds.running(RoomId(room_id))
        return feed.head if feed is not None else 0

    def heard(self, user_id: str) -> list[tuple[str, Any]]:
        """Take what was sent to somebody's socket since the last time."""
        frames = range(len(self.wire.outboxes.get(user_id, ())))
        return [self.wire.read(user_id) for _ in frames]
