"""A user as others see her, as she sees herself, and as one sees her who may not."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from parley.namespaces.wire import timestamp
from parley.storage.base import UserRepository
from parley.storage.expiring import PresenceStore
from parley.storage.models import Timestamp, UserId
from parley.storage.presence import Device, Presence, Status

MAX_DEVICES = 20  # that are shown of a user; what she is follows from all of them


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What somebody is shown of a user."""

    user_id: UserId
    status: Status = Status.OFFLINE
    devices: tuple[Device, ...] = ()
    last_seen: Timestamp | None = None  # None: never, as far as the viewer may know
    version: int
    invisible: bool = False  # she appears offline to others; only she herself is shown this

    def shows_as(self, other: "View") -> bool:
        """Whether both look alike; a version is nothing that one sees."""
        return self.looks == other.looks

    @property
    def looks(self) -> object:
        """Return all that one sees."""
        devices = [_device_to_wire(device) for device in self.devices]
        return (self.status, devices, self.last_seen, self.invisible)

    def to_wire(self) -> dict[str, Any]:
        """Return the content of an event; what is absent is absent."""
        wire: dict[str, Any] = {
            "user_id": self.user_id,
            "status": self.status,
            "devices": [_device_to_wire(device) for device in self.devices],
            "version": self.version,
        }
        if self.last_seen is not None:
            wire["last_seen"] = timestamp(self.last_seen)
        if self.invisible:
            wire["invisible"] = True
        return wire


def _device_to_wire(device: Device) -> dict[str, str]:
    wire = {"status": str(device.status or Status.ONLINE)}
    if device.name:
        wire["device"] = device.name
    if device.location:
        wire["location"] = device.location
    return wire


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """A user at one moment, before it is decided who looks.

    Every view of it has `Presence.as_of` for its version, and no number of her own: two numbers
    that one who looks could compare would tell whether somebody is invisible or away.
    """

    presence: Presence
    last_seen: Timestamp | None  # durable: when she was last shown, if she is not

    @property
    def public(self) -> View:
        """Return her as those see her who may."""
        if self.presence.is_shown:
            return self._whole(invisible=False)
        presence = self.presence
        return View(user_id=presence.user_id, last_seen=self.last_seen, version=presence.as_of)

    @property
    def own(self) -> View:
        """Return her as she sees herself."""
        return self._whole(invisible=self.presence.invisible)

    @property
    def hidden(self) -> View:
        """Return her as those see her who may not: as one who was never here."""
        return View(user_id=self.presence.user_id, version=self.presence.as_of)

    def seen_by(self, viewer: UserId, *, may_see: bool) -> View:
        """Return her as the viewer sees her, who may see her or may not."""
        if viewer == self.presence.user_id:
            return self.own
        return self.public if may_see else self.hidden

    @property
    def seen(self) -> Timestamp | None:
        """Return when others may have seen her last."""
        return self.presence.changed_at if self.presence.is_shown else self.last_seen

    def is_as(self, other: "Sighting") -> bool:
        """Whether nothing has changed between the two, whoever looks."""
        one, two = self.presence, other.presence
        return (
            one.devices == two.devices
            and one.invisible is two.invisible
            and one.changed_at == two.changed_at
            and self.last_seen == other.last_seen
        )

    def _whole(self, *, invisible: bool) -> View:
        return View(
            user_id=self.presence.user_id,
            status=self.presence.status,
            devices=self.presence.devices[:MAX_DEVICES],
            last_seen=self.seen,
            version=self.presence.as_of,
            invisible=invisible,
        )


class Sightings:
    """Reads how users are: from the store of who is here, and for the others when they were."""

    def __init__(self, *, store: PresenceStore, users: UserRepository) -> None:
        self._store = store
        self._users = users

    async def read(self, user_ids: Collection[UserId]) -> Mapping[UserId, Sighting]:
        """Return every one of them at one moment.

        Raises:
            StorageUnavailable: Nothing is known; asking again is safe.
        """
        found = await self._store.get(user_ids)
        # Asked afterwards, so that it is not older than what the store says. And of everybody, also
        # of whom it is not needed: else the time it takes would tell anybody who is here.
        known = await self._users.known(user_ids)
        away = {u for u, presence in found.items() if u in known and not presence.is_shown}
        return {
            user_id: Sighting(
                presence=presence, last_seen=known[user_id].last_seen if user_id in away else None
            )
            for user_id, presence in found.items()
        }
