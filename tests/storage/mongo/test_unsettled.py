"""What a primary has and no majority: it is not an answer, as an election may take it back."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import pytest

from parley.storage.errors import EpochChanged, OutcomeUnknown, PositionTaken, StorageUnavailable
from parley.storage.models import RoomId, Timestamp
from tests.storage.drafts import ANN, BOB, EPOCH, append, head_of, joined, new_room, said
from tests.storage.mongo.failing import Failing
from tests.storage.stores import Store

pytestmark = pytest.mark.mongod


async def delete(store: Store, room_id: RoomId) -> None:
    await store.rooms.delete(room_id, epoch=EPOCH, after=2, new_epoch="11111111", at=Timestamp(5))


async def change(store: Store, room_id: RoomId) -> None:
    await store.messages.append(room_id, epoch=EPOCH, after=2, drafts=[joined(BOB)])


@pytest.mark.parametrize(
    ("first", "refused"), [(delete, EpochChanged), (change, PositionTaken)], ids=["delete", "join"]
)
@pytest.mark.parametrize("second", [delete, change])
async def test_what_no_majority_has_refuses_nothing(
    store: Store,
    hasty: Store,
    failing: Failing,
    first: Callable[[Store, RoomId], Awaitable[None]],
    second: Callable[[Store, RoomId], Awaitable[None]],
    refused: type[Exception],
) -> None:
    """The outcome is open as long as that of what is in the way; then the refusal is told."""
    room_id = await new_room(store, ANN)
    await append(store, room_id, said(ANN))
    await head_of(hasty, room_id)
    with failing.no_majority():
        with pytest.raises(StorageUnavailable):
            await first(hasty, room_id)
        with pytest.raises(OutcomeUnknown, match="position 3 is unsettled"):
            await second(hasty, room_id)
    with pytest.raises(refused):
        await second(store, room_id)


async def test_a_primary_in_trouble_is_not_asked_without_end(
    store: Store, hasty: Store, failing: Failing
) -> None:
    """However fast the caller is with the next try."""
    room_id = await new_room(store, ANN)
    await append(store, room_id, said(ANN))
    tries = 0
    with failing.no_majority():
        with pytest.raises(StorageUnavailable):
            await change(hasty, room_id)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1):
                while True:
                    with pytest.raises(OutcomeUnknown):
                        await change(hasty, room_id)
                    tries += 1
    assert 1 <= tries <= 10
