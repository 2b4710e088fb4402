"""What ends by itself, and what is removed for good."""

from parley.namespaces.notification.upkeep import DAY_MS
from parley.storage.models import Timestamp
from parley.storage.notifications import Ending
from tests.namespaces.notification.world import ANN, Device, Node, World
from tests.storage.inboxes import notice


async def _connected(world: World, node: Node, device: Device, serial: int) -> Device:
    await device.connect(node, serial)
    while device.inbox.syncing:
        await world.delays.settle()
        while device.unread_frames:
            device.read()
    return device


async def test_what_expires_is_seen_to_end(world: World) -> None:
    node = world.node()
    device = await _connected(world, node, Device("page", node), 1)
    soon = Timestamp(world.now + 5)
    await world.store.notifications.add([notice(ANN, expires_at=soon), notice(ANN)])
    await node.domain.upkeep.once()
    world.now += 5
    await node.domain.upkeep.once()
    await node.domain.feeds.settled()
    while device.unread_frames:
        device.read()
    assert device.inbox.rev == 3
    assert [one["seq"] for one in device.inbox.listed()] == [2]
    await device.lose_connection()


async def test_old_ones_end_where_the_operator_wants_it(world: World) -> None:
    for days, left in ((None, 1), (8, 1), (7, 0)):
        await world.store.notifications.add([notice(ANN, created_at=Timestamp(world.now))])
        world.now += 7 * DAY_MS + 1
        await world.node(retention_days=days).domain.upkeep.once()
        assert len(await world.store.notifications.listed(ANN, limit=9)) == left
    assert await world.store.notifications.listed(ANN, limit=9) == []


async def test_who_comes_back_after_a_purge_starts_over(world: World) -> None:
    node = world.node()
    device = await _connected(world, node, Device("page", node), 1)
    old, kept = notice(ANN, "old"), notice(ANN, "kept")
    await world.store.notifications.add([old, kept])
    await device.lose_connection()
    at = Timestamp(world.now)
    await world.store.notifications.end(ANN, [old.id], how=Ending.DELETE, at=at)
    await world.store.notifications.add([notice(ANN, "new")])
    world.now += 8 * DAY_MS
    await world.node().domain.upkeep.once()
    assert (await world.store.notifications.changes(ANN, after=0)).dense
    world.now += 1
    await world.node().domain.upkeep.once()
    assert not (await world.store.notifications.changes(ANN, after=0)).dense
    await _connected(world, node, device, 2)
    assert [one["content"]["title"] for one in device.inbox.listed()] == ["new", "kept"]
    assert device.inbox.since == device.inbox.rev == 4
    await device.lose_connection()
