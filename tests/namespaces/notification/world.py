"""Two nodes over one storage, devices that follow the client's rule, and a hand on every delay.

Everything but the wire is the product's own: door, services, feeds, sync, storage.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from parley.namespaces.identity import Identity
from parley.namespaces.notification.assembly import (
    Notifications,
    NotificationStorage,
    assemble,
)
from parley.namespaces.notification.pushing import Pushing
from parley.namespaces.notification.seams import Present
from parley.storage.models import Timestamp, UserId
from tests.namespaces.chat.world import Delayed, Delays, LossyBus, Wire, at_noon
from tests.namespaces.notification.rule import Inbox
from tests.storage.stores import Store

ANN = UserId("ann")


async def nobody(_: Collection[UserId]) -> Collection[UserId]:
    """Return that nobody is there."""
    return ()


@dataclass
class Node:
    """One server process, as far as notifications go."""

    wire: Wire
    domain: Notifications


@dataclass
class World:
    """Storage, nodes, and the time."""

    store: Store  # without delays
    delays: Delays = field(default_factory=Delays)
    bus: LossyBus = field(default_factory=LossyBus)
    now: int = field(default_factory=at_noon)

    def node(
        self,
        *,
        present: Present = nobody,
        pushing: Pushing | None = None,
        retention_days: int | None = None,
    ) -> Node:
        """Assemble a node over the shared storage and bus."""
        store, wire = self.store, Wire()
        domain = assemble(
            NotificationStorage(
                notifications=self._delayed(store.notifications, "changes", "listed"),
                mutes=self._delayed(store.mutes),
                publications=self._delayed(store.publications),
                messages=self._delayed(store.messages),
                rooms=self._delayed(store.rooms),
                members=self._delayed(store.members),
                users=self._delayed(store.users),
                bus=self.bus,
            ),
            server_id="test",
            transport=wire,
            authenticate=_identity,
            digest_key=b"k" * 32,
            now=lambda: Timestamp(self.now),
            sessions={},
            present=present,
            pushing=pushing,
            retention_days=retention_days,
        )
        return Node(wire, domain)

    def _delayed(self, repository: Any, *held: str) -> Any:
        """Return a repository whose calls are waited for, and held if they are named."""
        return Delayed(repository, self.delays, held)


def _identity(token: str) -> Identity:
    return Identity(user_id=UserId(token), expires_at=2e9)


@dataclass
class Device:
    """A socket of a user that follows the rule, and may lose its connection."""

    name: str
    node: Node
    inbox: Inbox = field(default_factory=Inbox)
    sid: str = ""
    acks: list[Any] = field(default_factory=list[Any])
    _resumed: bool = False

    async def connect(self, node: Node, serial: int) -> None:
        """Connect with the cursor it has."""
        self.node, self.sid, self._resumed = node, f"{self.name}-{serial}", False
        node.wire.open(self.sid)
        auth: dict[str, Any] = {"token": ANN}
        if self.inbox.cursor is not None:
            auth["since"] = {"inbox": self.inbox.cursor}
        await node.domain.namespace.trigger_event("connect", self.sid, {}, auth)
        await node.domain.namespace.admitted(self.sid, auth)

    async def lose_connection(self) -> None:
        """Vanish; what was on the way is lost."""
        if self.sid in self.node.wire.outboxes:
            self.node.wire.shut(self.sid)
            await self.node.domain.namespace.trigger_event("disconnect", self.sid, "gone")
        self.inbox.lost()

    def request(self, event: str, payload: dict[str, Any]) -> None:
        """Send an event; its ack comes as a frame like any other."""
        wire, sid = self.node.wire, self.sid

        def reply(ack: dict[str, Any]) -> None:
            wire.send(sid, "ack", {"event": event, "ack": ack})

        namespace = self.node.domain.namespace
        namespace.receive(namespace.sessions[sid], [event, payload], size=0, reply=reply)

    def fall_behind(self) -> None:
        """Read so slowly that the server gives up what it wanted to send."""
        room = self.node.wire.overflow(self.sid)
        if room is not None:
            assert self.node.domain.namespace.fell_behind(self.sid, room)

    @property
    def unread_frames(self) -> int:
        """Return how much waits for it."""
        return len(self.node.wire.outboxes.get(self.sid, ()))

    def read(self) -> None:
        """Read one frame and do what the rule says."""
        name, data = self.node.wire.read(self.sid)
        well = True
        match name:
            case "notification":
                well = self.inbox.notified(data)
            case "inbox_behind":
                well = self.inbox.behind()
            case "sync":
                well = self.inbox.synced(data)
                self._resumed = self._resumed or data.get("done", False)
            case "ack" if data["event"] == "sync":
                well = self.inbox.synced(data["ack"]["data"])
            case "ack":
                self.acks.append(data)
            case _:
                assert name in ("system", "mute")
        # Until the catch-up of CONNECT is done, the server sends what there is more by itself.
        if not well and self._resumed:
            self.request("sync", {"inbox": self.inbox.cursor})
