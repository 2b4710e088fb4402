"""Whatever happens in between, every device has its user's inbox: complete, in order, once."""

import asyncio
import random
from pathlib import Path
from typing import Any

import pytest

from parley.namespaces.notification import sync
from parley.namespaces.notification.schemas import Publish
from parley.namespaces.notification.wire import notification_to_wire
from parley.namespaces.wire import timestamp
from parley.storage.models import ClientId, Timestamp, UserId
from parley.storage.notifications import NotificationDraft, NotificationId
from tests.clients import new_client_id
from tests.namespaces.notification.world import ANN, Device, World
from tests.storage.inboxes import InboxModel
from tests.storage.stores import LONG, STORES

STEPS = 200


class Play:
    """Random steps in a world, and the model beside it."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.chance = random.Random(seed)
        self.model = InboxModel(ANN)
        self.nodes = [world.node(), world.node()]
        self.devices = [Device(f"device-{n}", self.nodes[0]) for n in range(3)]
        self._serial = 0

    async def step(self) -> None:
        """Do one thing, then let what it began go as far as it can."""
        steps: list[Any] = [
            *[self._publish] * 3,
            *[self._read, self._delete, self._expire, self._revise],
            *[self._come_and_go] * 2,
            *[self._hint, self._lose_hint],
            *[self._storage] * 8,
            *[self._device_reads] * 6,
            *[self._fall_behind, self._audit],
        ]
        await self.chance.choice(steps)()
        await self.world.delays.settle()
        unread = await self.world.store.notifications.unread(ANN)
        assert unread == self.model.unread

    async def _publish(self) -> None:
        """Publish something, perhaps for the second time."""
        self._serial += 1
        expires_at = self.chance.choice([None, None, Timestamp(self.world.now + 5)])
        request = Publish(
            client_id=ClientId(new_client_id()),
            title=str(self._serial),
            body="…",
            user_ids=[ANN],
            collapse_key=self.chance.choice([None, None, "a", "b"]),
            dedupe_key=self.chance.choice([None, None, "x", "y"]),
            expires_at=None if expires_at is None else timestamp(expires_at),
        )
        node = self.chance.choice(self.nodes)
        await node.domain.services.publisher.publish(UserId("root"), request)
        newest = await self.world.store.notifications.listed(ANN, limit=1)
        self.model.add(
            NotificationDraft(
                id=newest[0].id if newest else NotificationId(""),
                user_id=ANN,
                client_id=ClientId(f"key:{request.dedupe_key or request.client_id}"),
                content=request.content,
                created_at=Timestamp(self.world.now),
                collapse_key=request.collapse_key,
                expires_at=expires_at,
            )
        )

    async def _read(self) -> None:
        device = self._connected()
        if device is None:
            return
        wanted = list(self.model.kept)
        ids = self.chance.sample(wanted, min(3, len(wanted)))
        upto = self.chance.randrange(self.model.rev + 1)
        choices: list[tuple[dict[str, Any], list[NotificationId]]] = [
            ({"ids": ids}, ids),
            ({"up_to": upto}, [n.id for n in self.model.kept.values() if n.seq <= upto]),
            ({"all": True}, wanted),
        ]
        payload, read = self.chance.choice(choices)
        if payload == {"ids": []}:
            return
        await self._ask(device, "read", payload)
        self.model.read(*read)

    async def _delete(self) -> None:
        device = self._connected()
        if device is not None and self.model.kept:
            ids = self.chance.sample(list(self.model.kept), 1)
            await self._ask(device, "delete", {"ids": ids})
            self.model.end(*ids)

    async def _ask(self, device: Device, event: str, payload: dict[str, Any]) -> None:
        device.request(event, payload)
        session = device.node.domain.namespace.sessions[device.sid]
        through = asyncio.create_task(session.mailbox.idle())
        while not through.done():  # a sync before it may be held: let it go
            if self.world.delays.held:
                self.world.delays.release(0)
            await asyncio.sleep(0)

    async def _revise(self) -> None:
        """Let something say something else, as where its message was edited."""
        client_id = ClientId(self.chance.choice(["key:x", "key:y"]))
        content = {"title": self.chance.choice(["x", "y"]), "body": "…"}
        changed = await self.world.store.notifications.revise(
            client_id, among=[ANN], content=content, at=Timestamp(self.world.now), limit=9
        )
        assert bool(changed) is self.model.revise(client_id, content)
        self.chance.choice(self.nodes).domain.feeds.announce_all(changed)

    async def _expire(self) -> None:
        self.world.now += self.chance.randrange(4)
        over = [
            n
            for n in self.model.kept.values()
            if n.expires_at is not None and n.expires_at <= self.world.now
        ]
        await self.chance.choice(self.nodes).domain.upkeep.expire()
        for notification in sorted(over, key=lambda n: n.seq):
            self.model.end(notification.id)

    async def _come_and_go(self) -> None:
        device = self.chance.choice(self.devices)
        await device.lose_connection()
        if self.chance.random() < 0.1:
            device.inbox = type(device.inbox)()
        self._serial += 1
        await device.connect(self.chance.choice(self.nodes), self._serial)

    async def _hint(self) -> None:
        if self.world.bus.on_the_way:
            at = self.chance.randrange(len(self.world.bus.on_the_way))
            listener, payload = self.world.bus.on_the_way.pop(at)
            self._hearing = asyncio.create_task(_heard(listener, payload))

    async def _lose_hint(self) -> None:
        if self.world.bus.on_the_way:
            self.world.bus.on_the_way.pop()

    async def _storage(self) -> None:
        if self.world.delays.held:
            self.world.delays.release(self.chance.randrange(len(self.world.delays.held)))

    async def _device_reads(self) -> None:
        device = self.chance.choice(self.devices)
        if device.unread_frames:
            device.read()

    async def _fall_behind(self) -> None:
        device = self._connected()
        if device is not None:
            device.fall_behind()

    async def _audit(self) -> None:
        self._auditing = asyncio.create_task(self.chance.choice(self.nodes).domain.feeds.audit())

    def _connected(self) -> Device | None:
        here = [d for d in self.devices if d.sid in d.node.domain.namespace.sessions]
        return self.chance.choice(here) if here else None

    async def calm(self) -> None:
        """Let everything arrive; hints that were lost are made good by the audit."""
        self.world.delays.open = True
        while self.world.delays.held:
            self.world.delays.release(0)
        for device in self.devices:
            if device.sid not in device.node.domain.namespace.sessions:
                self._serial += 1
                await device.connect(self.nodes[0], self._serial)
        for node in self.nodes:
            await node.domain.feeds.audit()
        for device in self.devices:
            while device.inbox.syncing or device.unread_frames:
                await self.world.delays.settle()
                while device.unread_frames:
                    device.read()
                for node in self.nodes:
                    await node.domain.feeds.audit()

    async def end(self) -> None:
        """Disconnect everybody."""
        for device in self.devices:
            await device.lose_connection()


async def _heard(listener: Any, payload: bytes) -> None:
    await listener(payload)


SEEDS = [
    *(("sqlite", seed) for seed in range(60)),
    *(pytest.param("mongo", seed, marks=LONG) for seed in range(60, 66)),
]


@pytest.mark.parametrize(("name", "seed"), SEEDS)
async def test_every_device_has_the_inbox(
    tmp_path: Path, name: str, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync, "PAGE_ROWS", 8)
    async with STORES[name](tmp_path / "data") as store:
        play = Play(World(store), seed)
        for _ in range(STEPS):
            await play.step()
        await play.calm()
        kept = await play.world.store.notifications.listed(ANN, limit=999)
        assert kept == play.model.listed()
        for device in play.devices:
            inbox = device.inbox
            assert inbox.rev == play.model.rev
            assert not inbox.overlaps
            changed = [notification_to_wire(n) for n in play.model.changes(inbox.since)]
            assert [inbox.known[one["id"]] for one in changed] == changed
        await play.end()
