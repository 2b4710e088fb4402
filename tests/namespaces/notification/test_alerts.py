"""What a crash left between a message and its notification is made good, once."""

from collections.abc import Collection

from parley.namespaces.notification.alerts import CHECKPOINT
from parley.storage.models import RoomId, UserId
from parley.storage.notifications import Notification
from tests.namespaces.notification.world import ANN, World
from tests.storage.drafts import BOB, EVE, append, deleted, new_room, said

ZED = UserId("zed")


async def inbox(world: World, user: UserId) -> list[Notification]:
    return list(await world.store.notifications.listed(user, limit=99))


def bodies(notifications: list[Notification]) -> list[str]:
    return [n.content["body"] for n in reversed(notifications)]


async def _room(world: World) -> RoomId:
    return await new_room(world.store, ANN, BOB, EVE)


async def test_the_first_start_tells_nothing_of_what_was_before(world: World) -> None:
    await append(world.store, await _room(world), said(ANN, mentions=[BOB]))
    for _ in range(2):
        await world.node().domain.begin()
    assert await inbox(world, BOB) == []


async def test_what_was_said_but_not_told_is_told_at_the_next_start(world: World) -> None:
    """Once, however often it is looked at; not to who has read it, or what is deleted."""
    await world.node().domain.begin()
    room_id = await _room(world)
    first, second, gone, _ = await append(
        world.store,
        room_id,
        said(ANN, "1", mentions=[BOB, EVE, ZED]),
        said(EVE, "2", mentions=["@room"]),
        said(ANN, "3", mentions=[BOB]),
        said(ANN, "4", mentions=["@room"]),
    )
    await append(world.store, room_id, deleted(ANN, gone.id))
    await world.store.members.mark_read(room_id, EVE, first.seq)
    for _ in range(3):
        await world.node().domain.begin()
    assert bodies(await inbox(world, BOB)) == ["1", "4"]
    assert bodies(await inbox(world, EVE)) == ["4"]
    assert await inbox(world, ZED) == await inbox(world, ANN) == []
    assert second.sender == EVE


async def test_a_message_that_was_told_is_not_told_again(world: World) -> None:
    node = world.node()
    await node.domain.begin()
    room_id = await _room(world)
    (message,) = await append(world.store, room_id, said(ANN, "1", mentions=[BOB]))
    snapshot = await world.store.rooms.get(room_id)
    assert snapshot is not None
    members = {m.user_id: m for m in snapshot.members}
    for _ in range(2):
        node.domain.alerts.note(snapshot.room, members, message)
        await node.domain.alerts.settled()
        await world.node().domain.begin()
    assert bodies(await inbox(world, BOB)) == ["1"]


async def test_what_was_deleted_before_a_crash_is_taken_back(world: World) -> None:
    await world.node().domain.begin()
    room_id = await _room(world)
    (message,) = await append(world.store, room_id, said(ANN, "1", mentions=[BOB]))
    await world.node().domain.begin()
    assert bodies(await inbox(world, BOB)) == ["1"]
    await append(world.store, room_id, deleted(ANN, message.id))
    await world.node().domain.begin()
    assert await inbox(world, BOB) == []


async def test_an_orderly_stop_leaves_nothing_to_look_at(world: World) -> None:
    """Who was there heard it by herself, and is not told of it after a restart."""
    here = {BOB}

    async def present(users: Collection[UserId]) -> Collection[UserId]:
        return here & set(users)

    node = world.node(present=present)
    await node.domain.begin()
    room_id = await _room(world)
    (message,) = await append(world.store, room_id, said(ANN, "1", mentions=[BOB]))
    snapshot = await world.store.rooms.get(room_id)
    assert snapshot is not None
    node.domain.alerts.note(snapshot.room, {m.user_id: m for m in snapshot.members}, message)
    await node.domain.stop()
    await world.node().domain.begin()
    assert await inbox(world, BOB) == []


async def test_the_checkpoint_follows_what_was_told(world: World) -> None:
    """A margin behind, and no more once everything is behind it."""
    node = world.node()
    await node.domain.begin()
    room_id = await _room(world)
    (message,) = await append(world.store, room_id, said(ANN, "1", mentions=[BOB]))
    snapshot = await world.store.rooms.get(room_id)
    assert snapshot is not None
    node.domain.alerts.note(snapshot.room, {m.user_id: m for m in snapshot.members}, message)
    await node.domain.alerts.settled()
    at = int(message.id[:8], 16)
    for seconds, passed in ((at + 5, False), (at + 11, True)):
        world.now = seconds * 1_000
        await node.domain.alerts.keep_checkpoint()
        kept = await world.store.publications.checkpoint(CHECKPOINT)
        assert kept is not None
        assert (kept > message.id) is passed
