"""Who is here, in one process."""

import heapq
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace

from parley.storage.models import Timestamp, UserId
from parley.storage.presence import Device, Due, Presence, Status

LEASE_S = 15.0


@dataclass(slots=True)
class _Record:
    """A user with a device."""

    invisible: bool
    devices: dict[str, Device] = field(default_factory=dict[str, Device])  # oldest first
    # When each is due that has left, in that order.
    left: dict[str, float] = field(default_factory=dict[str, float])
    changed_at: Timestamp | None = None  # None: not yet, it is being made

    @property
    def looks(self) -> object:
        """Return what a change is a change of."""
        said = self.devices.values()
        of_each = (((d.status or Status.ONLINE), d.name or "", d.location or "") for d in said)
        return (self.invisible, *of_each)


@dataclass(slots=True)
class _Lease:
    """A node's lease, and whose devices it holds."""

    until: float
    devices: dict[str, UserId] = field(default_factory=dict[str, UserId])


class MemoryPresenceStore:
    """See `PresenceStore`."""

    def __init__(
        self, *, lease_s: float = LEASE_S, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """Let a lease hold for ``lease_s`` seconds of the clock ``monotonic``."""
        self._lease_s = lease_s
        self._now = monotonic
        # So versions are those of a clock that nobody sets, and above all of an earlier process.
        self._began = time.time() - monotonic()
        self._users: dict[UserId, _Record] = {}
        self._leases: dict[str, _Lease] = {}
        # One of a device whose place was taken stays, and finds nothing when it comes due.
        self._due: list[tuple[float, UserId, str]] = []
        # One for all users: who is forgotten needs no version that is remembered.
        self._version = 0  # the newest that was given or shown

    async def put(
        self,
        devices: Collection[Device],
        *,
        at: Timestamp,
        invisible: Collection[UserId] = (),
    ) -> Collection[UserId]:
        """See `PresenceStore`."""
        changed: set[UserId] = set()
        for device in devices:
            user_id = device.user_id
            record = self._users.get(user_id)
            if record is None:
                record = self._users[user_id] = _Record(invisible=user_id in invisible)
            before = record.looks
            self._place(record, device)
            self._lease(device.server_id).devices[device.id] = user_id
            if self._note(record, before, at):
                changed.add(user_id)
        return changed

    async def leave(self, devices: Collection[Device], *, grace_s: float) -> None:
        """See `PresenceStore`."""
        due = self._now() + grace_s
        for device in devices:
            record = self._users.get(device.user_id)
            if record is not None and device.id in record.devices:
                record.left.setdefault(device.id, due)
                heapq.heappush(self._due, (due, device.user_id, device.id))

    async def hide(self, user_id: UserId, invisible: bool, *, at: Timestamp) -> bool:
        """See `PresenceStore`."""
        record = self._users.get(user_id)
        if record is None:
            return False
        before = record.looks
        record.invisible = invisible
        return self._note(record, before, at)

    async def renew(self, server_id: str) -> bool:
        """See `PresenceStore`."""
        lease = self._leases.get(server_id)
        held = lease is not None and lease.until > self._now()
        if held:
            self._lease(server_id)
        return held

    async def claim(self, *, at: Timestamp) -> Due:
        """See `PresenceStore`."""
        now = self._now()
        changed: set[UserId] = set()
        left: set[UserId] = set()
        for user_id, device_id in [*self._out_of_grace(now), *self._out_of_lease(now)]:
            record = self._users.get(user_id)
            if record is None or device_id not in record.devices:
                continue
            changed.add(user_id)
            self._take_out(record, device_id, at)
            if not record.devices:
                del self._users[user_id]
                if not record.invisible:
                    left.add(user_id)
        return Due(changed=frozenset(changed), left=frozenset(left), wait_s=self._wait_s(now))

    async def get(self, user_ids: Collection[UserId]) -> Mapping[UserId, Presence]:
        """See `PresenceStore`."""
        # Shown as of now, whether anything has changed or not: a number that rises with changes
        # only would tell of those that one may not see.
        self._version = max(self._version, self._clock())
        return {user_id: self._presence(user_id) for user_id in user_ids}

    async def shown(self) -> Collection[UserId]:
        """See `PresenceStore`."""
        return [user_id for user_id, record in self._users.items() if not record.invisible]

    @property
    def size(self) -> int:
        """Return how much is kept: users, their devices, what they are held by, what is due."""
        devices = sum(len(record.devices) for record in self._users.values())
        held = sum(len(lease.devices) for lease in self._leases.values())
        return len(self._users) + devices + held + len(self._due)

    # Devices

    def _place(self, record: _Record, device: Device) -> None:
        """Put a device where it was, or where one was that has left, or behind all others."""
        known = record.devices.get(device.id)
        if known is not None:
            record.left.pop(device.id, None)
            record.devices[device.id] = _reporting(known, device)
            return
        if not record.left:
            record.devices[device.id] = device
            return
        # The last to leave: where several have left, it is most likely to be back.
        gone = next(reversed(record.left))
        del record.left[gone]
        self._forget(record.devices[gone])
        successor = _reporting(record.devices[gone], device)
        record.devices = {
            (device.id if device_id == gone else device_id): (
                successor if device_id == gone else each
            )
            for device_id, each in record.devices.items()
        }

    def _take_out(self, record: _Record, device_id: str, at: Timestamp) -> None:
        before = record.looks
        self._forget(record.devices.pop(device_id))
        record.left.pop(device_id, None)
        self._note(record, before, at)

    def _forget(self, device: Device) -> None:
        lease = self._leases.get(device.server_id)
        if lease is not None:
            lease.devices.pop(device.id, None)

    def _note(self, record: _Record, before: object, at: Timestamp) -> bool:
        """Take the time of a record if it changed; return whether it did."""
        if record.changed_at is not None and record.looks == before:
            return False
        # Above all that was shown, also if it comes in the same microsecond.
        self._version = max(self._version + 1, self._clock())
        record.changed_at = at
        return True

    def _clock(self) -> int:
        return int((self._began + self._now()) * 1_000_000)

    def _presence(self, user_id: UserId) -> Presence:
        record = self._users.get(user_id)
        return Presence(
            user_id=user_id,
            devices=() if record is None else tuple(record.devices.values()),
            invisible=record is not None and record.invisible,
            as_of=self._version,
            changed_at=None if record is None else record.changed_at,
        )

    # What ends

    def _lease(self, server_id: str) -> _Lease:
        """Return a node's lease, renewed."""
        lease = self._leases.setdefault(server_id, _Lease(0.0))
        lease.until = self._now() + self._lease_s
        return lease

    def _out_of_grace(self, now: float) -> Iterator[tuple[UserId, str]]:
        while self._due and self._due[0][0] <= now:
            due, user_id, device_id = heapq.heappop(self._due)
            record = self._users.get(user_id)
            # It may have come back and left again, with another deadline.
            if record is not None and record.left.get(device_id) == due:
                yield user_id, device_id

    def _out_of_lease(self, now: float) -> Iterator[tuple[UserId, str]]:
        for server_id in [name for name, lease in self._leases.items() if lease.until <= now]:
            lease = self._leases.pop(server_id)
            for device_id, user_id in lease.devices.items():
                yield user_id, device_id

    def _wait_s(self, now: float) -> float:
        next_due = self._due[0][0] if self._due else now + self._lease_s
        ends = (lease.until for lease in self._leases.values())
        return max(0.0, min([next_due, *ends]) - now)


def _reporting(known: Device, newer: Device) -> Device:
    """Return the newer device, with what it has not reported as it was before."""
    return replace(
        newer,
        since=known.since,
        status=newer.status or known.status,
        name=known.name if newer.name is None else newer.name,
        location=known.location if newer.location is None else newer.location,
    )
