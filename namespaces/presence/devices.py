"""The devices of this node: what the store of presence is told of them, and when they end."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Collection, Iterable
from dataclasses import replace

from parley.namespaces import hints
from parley.namespaces.presence.hiding import Hiding
from parley.namespaces.presence.last_seen import LastSeen
from parley.namespaces.presence.repeating import repeating
from parley.namespaces.presence.steps import Steps
from parley.namespaces.session import Session
from parley.storage.base import UserRepository
from parley.storage.errors import StorageUnavailable
from parley.storage.expiring import Bus, PresenceStore
from parley.storage.models import Timestamp, UserId
from parley.storage.presence import Device, Status

PRESENCE = "presence"
"""The channel of the bus that names whose presence has changed."""

RENEWAL_S = 5.0  # a third of a lease: two renewals in a row may fail
RECORD_S = 60.0  # between two records of who is here; see `LastSeen`
FAREWELL_S = 1.0  # for storage, when the server stops


class Devices:
    """Brings the store to what is so here, step by step. See `SessionObserver`.

    A step takes whatever has changed since the last one: who came and left in between was never
    here. What storage did not take is taken by a later step, all of it again if the lease is
    lost. One task takes all steps, and waits for what comes next: a device, or a deadline. The
    lease is renewed beside it: a step may have to wait for the disk.
    """

    def __init__(
        self,
        *,
        server_id: str,
        store: PresenceStore,
        users: UserRepository,
        bus: Bus,
        grace_s: float,
        now: Callable[[], Timestamp],
    ) -> None:
        self._server_id = server_id
        self._store = store
        self._bus = bus
        self._grace_s = grace_s
        self._now = now
        self._last_seen = LastSeen(store=store, users=users, now=now)
        self._hiding = Hiding(store=store, users=users, now=now, tell=self._tell)

        self._here: dict[str, Device] = {}
        self._put: dict[str, Device] = {}  # what the store knows of it
        # Ids of devices that the store knows otherwise, or not, in the order they came in.
        self._differ: dict[str, None] = {}
        self._left: set[UserId] = set()  # who is shown no more, and is to be recorded and told
        self._steps = Steps(self._advance, lambda: bool(self._differ))

    # What happens to devices

    def opened(self, session: Session) -> None:
        """See `SessionObserver`."""
        self._note(
            Device(
                id=session.connection_id,
                user_id=session.user_id,
                server_id=self._server_id,
                since=self._now(),
            )
        )

    def closed(self, session: Session) -> None:
        """See `SessionObserver`."""
        if self._here.pop(session.connection_id, None) is not None:
            self._differ[session.connection_id] = None
            self._steps.wake()

    async def report(
        self, session: Session, *, status: Status, name: str | None, location: str | None
    ) -> None:
        """Take what a device says of itself, None: as it was; return when the store has it.

        Raises:
            StorageUnavailable: It will have it later.
        """
        device = self._here.get(session.connection_id)
        if device is not None:
            self._note(
                replace(
                    device,
                    status=status,
                    name=device.name if name is None else name,
                    location=device.location if location is None else location,
                )
            )
        await self.settled()

    async def set_invisible(self, user_id: UserId, invisible: bool) -> None:
        """Make a user appear offline to others, or end that; return when it is so.

        Raises:
            StorageUnavailable: It may not be so; asking again is safe.
        """
        await self.settled()
        await self._hiding.hide(user_id, invisible)

    async def compare_hidden(self) -> None:
        """See `Hiding.compare`: what was asked for on another node holds here too."""
        await self._hiding.compare({device.user_id for device in self._here.values()})

    def settled(self) -> "asyncio.Future[None]":
        """Return what is done when the store has all that happened so far. See `Steps.settled`."""
        return self._steps.settled()

    def _note(self, device: Device) -> None:
        self._here[device.id] = device
        self._differ[device.id] = None
        self._steps.wake()

    # What is done about it

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Take steps meanwhile; in the end record who was here."""
        task = asyncio.create_task(self._steps.forever())
        try:
            async with (
                repeating(self.renew, every_s=RENEWAL_S, name="the lease of presence"),
                repeating(self._record_here, every_s=RECORD_S, name="who is here"),
            ):
                yield
        finally:
            task.cancel()
            await asyncio.wait([task])
            with contextlib.suppress(StorageUnavailable, TimeoutError):
                async with asyncio.timeout(FAREWELL_S):
                    await self._settle()
                    await self._record_here()

    async def step(self) -> float:
        """Bring the store up to date and return how long nothing is due, in seconds.

        Raises:
            StorageUnavailable: Some of it is left to a later step.
        """
        return await self._steps.once()

    async def _advance(self) -> float:
        await self.renew()  # first: if the lease is over, all is put at once, in its order
        await self._settle()
        # Before anything ends: a process that stood still does not end its own devices.
        while not await self.renew():
            await self._settle()
        due = await self._store.claim(at=self._now())
        self._left |= due.left
        await self._tell_left(due.changed)
        return due.wait_s

    async def renew(self) -> bool:
        """Renew the lease of what was put; False: it was over, and all is put again.

        Raises:
            StorageUnavailable: It is unknown whether the lease holds.
        """
        if not self._put or await self._store.renew(self._server_id):
            return True
        # What has closed is still to leave: whatever is put begins a new lease, and until it is
        # claimed the store may hold that by it too.
        self._differ = dict.fromkeys([*self._here, *self._differ])
        self._steps.wake()
        return False

    async def _settle(self) -> None:
        differ, self._differ = self._differ, {}
        try:
            gone = [self._put[id] for id in differ if id not in self._here and id in self._put]
            if gone:
                # First, so that who comes back takes the place of who has left.
                await self._store.leave(gone, grace_s=self._grace_s)
            if any(id in self._here for id in differ):
                self._tell(await self._come(differ))
            if gone:
                # Last: whoever comes does not wait for the disk, nor for what nobody can say
                # until all nodes have put theirs again.
                await self._last_seen.record({device.user_id for device in gone})
        except BaseException:
            self._differ = {**differ, **self._differ}
            raise
        for device in gone:
            del self._put[device.id]

    async def _come(self, differ: Collection[str]) -> Collection[UserId]:
        hidden = await self._hiding.hidden(
            {self._here[id].user_id for id in differ if id in self._here}
        )
        if any(id not in differ for id in self._put):
            # Before anything is put: that would begin a new lease, and nobody would find out
            # that the rest of what the old one held has ended.
            await self.renew()
        came = [self._here[id] for id in differ if id in self._here]
        # Before it is asked: it may take what it does not answer for.
        self._put.update((device.id, device) for device in came)
        return await self._store.put(came, at=self._now(), invisible=hidden)

    async def _tell_left(self, changed: Iterable[UserId]) -> None:
        """Tell of who is gone; when she was last seen is on disk by then."""
        left = set(self._left)
        try:
            if left:
                await self._last_seen.note(left)
                self._left -= left
        finally:
            self._tell(changed)

    async def _record_here(self) -> None:
        await self._last_seen.record({device.user_id for device in self._put.values()})

    def _tell(self, user_ids: Iterable[UserId]) -> None:
        for hint in hints.named_users(list(user_ids)):
            self._bus.publish(PRESENCE, hint)
