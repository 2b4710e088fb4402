"""Some nodes without a network over one store: presence, and as much of the chat as it needs.

The wire and the bus are the test's (`tests.namespaces.chat.world`), all else is the product's.
"""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncGenerator, Awaitable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from parley.namespaces.chat.assembly import Chat, ChatStorage
from parley.namespaces.chat.assembly import assemble as assemble_chat
from parley.namespaces.chat.room_schemas import CreateRoom, DeleteRoom
from parley.namespaces.identity import Identity
from parley.namespaces.presence.assembly import Presence, PresenceStorage, assemble
from parley.namespaces.session import FirstAndLast, Session
from parley.server.acquaintances import Acquaintances
from parley.storage.expiring import PresenceStore
from parley.storage.memory.presence import MemoryPresenceStore
from parley.storage.models import ClientId, RoomId, RoomType, Timestamp, UserId
from parley.storage.redis.database import RedisDatabase
from parley.storage.redis.presence import RedisPresenceStore
from parley.storage.sqlite.database import Database
from parley.storage.sqlite.members import SqliteMembers
from parley.storage.sqlite.messages import SqliteMessages
from parley.storage.sqlite.rooms import SqliteRooms
from parley.storage.sqlite.users import SqliteUsers
from tests.clients import new_client_id
from tests.namespaces.chat.world import LossyBus, Wire

GRACE_S, LEASE_S = 5.0, 15.0
START = 1_800_000_000_000  # what the wall clock says first
_serial = itertools.count(1)


def identity(token: str) -> Identity:
    """Return whose token it is: whoever it names."""
    return Identity(user_id=UserId(token), expires_at=2e9)


@dataclass
class Node:
    """One server process, as far as presence goes."""

    name: str
    wire: Wire
    chat: Chat
    presence: Presence
    others: FirstAndLast  # hears of sessions in other namespaces

    def open(self, user_id: str) -> Session:
        """Let a connection join a namespace that is not `/presence`."""
        session = Session(sid=f"other-{next(_serial)}", identity=identity(user_id))
        self.others.opened(session)
        return session

    async def connect(self, user_id: str) -> Session:
        """Let a connection join `/presence`."""
        sid = f"{self.name}-{next(_serial)}"
        self.wire.open(sid)
        await self.presence.namespace.trigger_event("connect", sid, {}, {"token": user_id})
        await self.presence.namespace.admitted(sid, {})
        return self.presence.namespace.sessions[sid]

    async def close(self, session: Session) -> None:
        """End a connection of either kind."""
        if session.sid in self.wire.outboxes:
            self.wire.shut(session.sid)
            await self.presence.namespace.trigger_event("disconnect", session.sid, "gone")
        else:
            self.others.closed(session)

    def left_over(self) -> dict[str, Any]:
        """Return what the parts of presence keep about users, sockets and rooms."""
        audit, kept = vars(self.presence.audit), dict[str, Any]()
        parts = [audit[name] for name in ("_followers", "_lists", "_tracked", "_memberships")]
        parts += [vars(part)["_follows"] for part in parts[:2]]
        catch_up = vars(self.presence.namespace)["_catch_up"]
        for part in [self.presence.devices, catch_up, *parts]:
            kept |= {f"{part}{n}": v for n, v in vars(part).items() if isinstance(v, dict | set)}
        found = {name: value for name, value in kept.items() if value}
        found.pop(f"{catch_up}_sessions", None)  # of the namespace, whoever is connected
        return found

    def ask(self, session: Session, event: str, payload: Any) -> None:
        """Send an event; its ack comes as a frame like any other."""

        def reply(ack: dict[str, Any]) -> None:
            self.wire.send(session.sid, "ack", {"event": event, "payload": payload, **ack})

        self.presence.namespace.receive(session, [event, payload], size=0, reply=reply)


@dataclass
class House:
    """Nodes, their clock, and what is on the way between them."""

    redis: RedisDatabase | None = None  # None: presence is in memory
    bus: LossyBus = field(default_factory=LossyBus)
    nodes: list[Node] = field(default_factory=list[Node])
    seconds: float = 0.0  # of all clocks
    memory: MemoryPresenceStore = field(init=False)  # of all nodes, without another one

    def __post_init__(self) -> None:
        self.memory = MemoryPresenceStore(lease_s=LEASE_S, monotonic=lambda: self.seconds)

    @classmethod
    @contextlib.asynccontextmanager
    async def open(
        cls, folder: Path, *, nodes: int = 2, redis: RedisDatabase | None = None
    ) -> AsyncGenerator["House"]:
        """Run the nodes over a database of their own, and a store that they share."""
        async with Database.open(folder) as database, contextlib.AsyncExitStack() as stack:
            house = cls(redis)
            for name in ("one", "two", "three")[:nodes]:
                node = house._node(name, database)
                house.nodes.append(node)
                await stack.enter_async_context(node.presence.audit.running())
            yield house

    def microseconds(self) -> int:
        """Return what Redis takes for the time."""
        return START * 1_000 + round(self.seconds * 1_000_000)

    def now(self) -> Timestamp:
        """Return what the wall clock says."""
        return Timestamp(START + int(self.seconds * 1_000))

    def _node(self, name: str, database: Database) -> Node:
        storage = ChatStorage(
            rooms=SqliteRooms(database),
            members=SqliteMembers(database),
            messages=SqliteMessages(database),
            users=SqliteUsers(database),
            bus=self.bus,
        )
        store: PresenceStore = self.memory
        if self.redis is not None:
            store = RedisPresenceStore(self.redis, lease_s=LEASE_S, now=self.microseconds)
        wire = Wire()
        chat = assemble_chat(
            storage,
            server_id=name,
            transport=Wire(),
            authenticate=identity,
            digest_key=b"k" * 32,
            now=self.now,
        )
        presence = assemble(
            PresenceStorage(store=store, users=storage.users, bus=self.bus),
            rooms=Acquaintances(feeds=chat.feeds, members=storage.members),
            server_id=name,
            transport=wire,
            authenticate=identity,
            grace_s=GRACE_S,
            now=self.now,
        )
        devices = FirstAndLast(presence.devices)
        presence.namespace.observe(devices)
        return Node(name, wire, chat, presence, devices)

    # Rooms

    async def make_room(self, *members: str) -> RoomId:
        """Make a public room; the first of its members owns it."""
        owner, *others = (UserId(name) for name in members)
        request = CreateRoom(name="Tea", type=RoomType.PUBLIC, members=others)
        return (await self.nodes[0].chat.services.rooms.create(owner, request)).feed.room.id

    async def delete_room(self, room_id: RoomId, owner: str) -> None:
        """Delete a room."""
        await self.nodes[0].chat.audit.once()
        request = DeleteRoom(room_id=room_id, client_id=ClientId(new_client_id()))
        await self.nodes[0].chat.services.rooms.delete(UserId(owner), request)

    # What happens by itself

    async def finished(self, *requests: Awaitable[Any]) -> None:
        """Take steps until every request is answered."""
        waiting = [asyncio.ensure_future(request) for request in requests]
        while not all(task.done() for task in waiting):
            await self.step()
            await asyncio.sleep(0)
        await asyncio.gather(*waiting)

    async def step(self) -> None:
        """Let every node tell the store of its devices, and end what is due."""
        for node in self.nodes:
            await node.presence.devices.step()

    async def deliver(self, chance: Random, *, lost: float = 0.0) -> bool:
        """Deliver what is on the way, in any order; return whether nothing was lost."""
        whole = True
        while self.bus.on_the_way:
            index = chance.randrange(len(self.bus.on_the_way))
            listener, payload = self.bus.on_the_way.pop(index)
            if chance.random() < lost:
                whole = False
            else:
                await listener(payload)
        return whole

    async def audit(self) -> None:
        """Look at everything, as each node does from time to time."""
        for node in self.nodes:
            await node.chat.audit.once()
            await node.presence.audit.once()

    async def answered(self) -> None:
        """Take steps until nothing waits for an answer."""
        idle = [
            session.mailbox.idle()
            for node in self.nodes
            for session in node.presence.namespace.sessions.values()
        ]
        await self.finished(*idle)
        for node in self.nodes:
            await node.presence.followers.settled()
