"""What a crash left between a message and its notification is made good, once."""

import time
from collections.abc import Collection, Mapping
from typing import Any

import pytest

from parley.namespaces.notification.alerts import CHECKPOINT, MARGIN_S
from parley.storage.errors import StorageUnavailable
from parley.storage.models import RoomId, Timestamp, UserId
from parley.storage.notifications import Notification
from tests.namespaces.notification.world import ANN, World
from tests.storage.drafts import (
    BOB,
    EVE,
    append,
    deleted,
    edited,
    head_of,
    joined,
    left,
    new_room,
    said,
)

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
    now = Timestamp(int(time.time() * 1000))
    await append(world.store, room_id, deleted(ANN, message.id, created_at=now))
    await world.node().domain.begin()
    assert await inbox(world, BOB) == []


async def test_what_changed_after_it_was_told_is_put_right_after_a_crash(world: World) -> None:
    """However old the message is; what nobody was told of stays untold."""
    node = world.node()
    await node.domain.begin()
    room_id = await _room(world)
    first, second, other = await append(
        world.store,
        room_id,
        said(ANN, "1", mentions=[BOB]),
        said(ANN, "2", mentions=[BOB]),
        said(ANN, "3"),
    )
    await world.node().domain.begin()
    await node.domain.stop()
    now = Timestamp(int(time.time() * 1000))
    await append(world.store, room_id, edited(ANN, first.id, "one", created_at=now))
    await append(world.store, room_id, deleted(ANN, second.id, created_at=now))
    await append(world.store, room_id, edited(ANN, other.id, "3", created_at=now, mentions=[BOB]))
    assert bodies(await inbox(world, BOB)) == ["1", "2"]
    for _ in range(2):
        await world.node().domain.begin()
    assert bodies(await inbox(world, BOB)) == ["one"]
    assert (await world.store.notifications.heads([BOB]))[BOB].rev == 4


@pytest.mark.parametrize(("change", "left"), [("edit", ["one"]), ("delete", []), ("room", [])])
async def test_what_changes_while_it_is_told_is_told_as_it_is(
    world: World, change: str, left: list[str]
) -> None:
    """The change finds nothing to correct yet, or a room that was swept; so the teller looks."""
    room_id = await _room(world)
    (message,) = await append(world.store, room_id, said(ANN, "1", mentions=[BOB]))
    snapshot = await world.store.rooms.get(room_id)
    assert snapshot is not None

    async def meanwhile(_: Collection[UserId]) -> Collection[UserId]:
        if change == "room":
            await _delete_room(world, room_id)
        else:
            row = edited(ANN, message.id, "one") if change == "edit" else deleted(ANN, message.id)
            await append(world.store, room_id, row)
            other = world.node()
            other.domain.alerts.revise(snapshot.room, message.id)
            await other.domain.alerts.settled()
        return ()

    node = world.node(present=meanwhile)
    node.domain.alerts.note(snapshot.room, {m.user_id: m for m in snapshot.members}, message)
    await node.domain.alerts.settled()
    assert bodies(await inbox(world, BOB)) == left


@pytest.mark.parametrize("comes_back", [False, True])
async def test_an_edit_is_not_told_to_who_was_sent_away(world: World, comes_back: bool) -> None:
    """Nor does she keep what was taken back; in a private room also when she is let in anew."""
    room_id = await _room(world)
    (message,) = await append(world.store, room_id, said(ANN, "1", mentions=[BOB, EVE]))
    node = world.node()
    snapshot = await world.store.rooms.get(room_id)
    assert snapshot is not None
    node.domain.alerts.note(snapshot.room, {m.user_id: m for m in snapshot.members}, message)
    await node.domain.alerts.settled()
    await append(world.store, room_id, left(BOB, reason="kicked", by=ANN))
    if comes_back:
        await append(world.store, room_id, joined(BOB, reason="invited"))
    await append(world.store, room_id, edited(ANN, message.id, "secret"))
    node.domain.alerts.revise(snapshot.room, message.id)
    await node.domain.alerts.settled()
    assert bodies(await inbox(world, BOB)) == []
    assert bodies(await inbox(world, EVE)) == ["secret"]


async def test_of_two_edits_at_once_the_newest_is_told(world: World) -> None:
    """Whichever is corrected last."""
    node = world.node()
    await node.domain.begin()
    room_id = await _room(world)
    (message,) = await append(world.store, room_id, said(ANN, "1", mentions=[BOB]))
    await world.node().domain.begin()
    snapshot = await world.store.rooms.get(room_id)
    assert snapshot is not None
    room = snapshot.room
    await append(world.store, room_id, edited(ANN, message.id, "2"))

    class Users:
        """Those of the store; at the first look a newer edit comes and is through."""

        async def names(self, users: Collection[UserId]) -> Mapping[UserId, str]:
            told._users = world.store.users
            await append(world.store, room_id, edited(ANN, message.id, "3"))
            other = world.node()
            other.domain.alerts.revise(room, message.id)
            await other.domain.alerts.settled()
            assert bodies(await inbox(world, BOB)) == ["3"]
            return await world.store.users.names(users)

    told: Any = vars(node.domain.alerts)["_told"]
    told._users = Users()
    node.domain.alerts.revise(room, message.id)
    await node.domain.alerts.settled()
    assert bodies(await inbox(world, BOB)) == ["3"]


async def test_a_change_that_storage_did_not_take_holds_the_checkpoint_back(world: World) -> None:
    """Behind the change itself, which is older than the call; until it is tried again."""
    node = world.node()
    await world.store.publications.keep_checkpoint(CHECKPOINT, "1")
    await node.domain.begin()
    room_id = await _room(world)
    (message,) = await append(world.store, room_id, said(ANN, "1", mentions=[BOB]))
    await world.node().domain.begin()
    snapshot = await world.store.rooms.get(room_id)
    assert snapshot is not None
    await append(world.store, room_id, edited(ANN, message.id, "one"))

    class Away:
        async def get(self, _: str) -> None:
            raise StorageUnavailable("away")

    told: Any = vars(node.domain.alerts)["_told"]
    told._messages = Away()
    node.domain.alerts.revise(snapshot.room, message.id)
    await node.domain.alerts.settled()
    world.now = int(time.time() + 3_600) * 1_000
    await node.domain.alerts.keep_checkpoint()
    kept = await world.store.publications.checkpoint(CHECKPOINT)
    assert kept is not None
    assert int(kept[:8], 16) <= time.time() - MARGIN_S
    told._messages = world.store.messages
    node.domain.alerts.try_again()
    await node.domain.alerts.settled()
    assert bodies(await inbox(world, BOB)) == ["one"]
    await node.domain.alerts.keep_checkpoint()
    kept = await world.store.publications.checkpoint(CHECKPOINT)
    assert kept is not None
    assert int(kept[:8], 16) > time.time()


async def test_a_message_that_cannot_be_told_holds_nothing_up(world: World) -> None:
    """Neither the checkpoint nor a start waits for it for ever, and the others are told."""

    async def present(users: Collection[UserId]) -> Collection[UserId]:
        if ZED in users:
            raise RuntimeError("a bug")
        return ()

    node = world.node(present=present)
    await node.domain.begin()
    room_id = await new_room(world.store, ANN, BOB, ZED)
    messages = await append(
        world.store, room_id, said(ANN, "1", mentions=[ZED]), said(ANN, "2", mentions=[BOB])
    )
    await world.node(present=present).domain.begin()
    assert bodies(await inbox(world, BOB)) == ["2"]
    snapshot = await world.store.rooms.get(room_id)
    assert snapshot is not None
    members = {m.user_id: m for m in snapshot.members}
    for message in messages:
        node.domain.alerts.note(snapshot.room, members, message)
    await node.domain.alerts.settled()
    world.now = int(time.time() + 3_600) * 1_000
    await node.domain.alerts.keep_checkpoint()
    kept = await world.store.publications.checkpoint(CHECKPOINT)
    assert kept is not None
    assert kept > messages[0].id


async def _delete_room(world: World, room_id: RoomId) -> None:
    head = await head_of(world.store, room_id)
    await world.store.rooms.delete(
        room_id, epoch=head.epoch, after=head.rev, new_epoch="0badf00d", at=Timestamp(2)
    )
    while await world.store.rooms.sweep(limit=9):
        pass


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
