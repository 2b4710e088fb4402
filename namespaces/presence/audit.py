"""What presence hears from the bus, and what it finds out where no hint has told it."""

import contextlib
import logging
from collections.abc import AsyncIterator, Generator

from parley.namespaces import hints
from parley.namespaces.pausing import Pause
from parley.namespaces.presence.devices import PRESENCE, Devices
from parley.namespaces.presence.followers import Followers
from parley.namespaces.presence.lists import RoomLists
from parley.namespaces.presence.memberships import Memberships
from parley.namespaces.presence.repeating import repeating
from parley.namespaces.presence.tracked import TrackedUsers
from parley.storage.errors import StorageUnavailable
from parley.storage.expiring import Bus

logger = logging.getLogger(__name__)

EVERY_S = 15.0  # like a lease (`LEASE_S`): what no hint told is right again after another one


class Audit:
    """Keeps what this node shows true. A hint only says where to look."""

    def __init__(
        self,
        *,
        bus: Bus,
        devices: Devices,
        tracked: TrackedUsers,
        followers: Followers,
        lists: RoomLists,
        memberships: Memberships,
    ) -> None:
        self._bus = bus
        self._devices = devices
        self._tracked = tracked
        self._followers = followers
        self._lists = lists
        self._memberships = memberships
        self._pause = Pause()
        bus.on_reconnect(self._pause.end)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Listen and look meanwhile."""
        subscriptions = [
            await self._bus.subscribe(PRESENCE, self._hear_presence),
            await self._bus.subscribe(hints.MEMBERSHIPS, self._hear_memberships),
        ]
        try:
            name = "the audit of presence"
            async with repeating(self.once, every_s=EVERY_S, name=name, pause=self._pause):
                yield
        finally:
            for subscription in subscriptions:
                await subscription.cancel()

    async def once(self) -> None:
        """Look at who hides, at everybody who is tracked and their memberships, and at every room.

        Raises:
            StorageUnavailable: Nothing is wrong by that; call again.
        """
        await self._devices.compare_hidden()
        await self._tracked.look(self._tracked.all())
        moved = await self._memberships.moved(self._tracked.all())
        await self._followers.moved(moved)
        self._memberships.settle(moved)
        self._lists.moved()

    async def _hear_presence(self, payload: bytes) -> None:
        with _left_to_the_audit():
            await self._tracked.look(hints.read_users(payload))

    async def _hear_memberships(self, payload: bytes) -> None:
        if (moved := hints.read_moved(payload)) is None:
            return
        room_id, user_ids = moved
        self._lists.moved(room_id)
        with _left_to_the_audit():
            await self._followers.moved(user_ids)


@contextlib.contextmanager
def _left_to_the_audit() -> Generator[None]:
    try:
        yield
    except StorageUnavailable as error:
        logger.warning("presence: storage does not answer: %s", error)
