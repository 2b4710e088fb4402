"""The presence domain put together, over whatever storage and transport it is given."""

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from parley.namespaces.eager import Crew
from parley.namespaces.identity import Authenticator
from parley.namespaces.presence.audit import Audit
from parley.namespaces.presence.catch_up import CatchUp
from parley.namespaces.presence.devices import Devices
from parley.namespaces.presence.events import PresenceNamespace
from parley.namespaces.presence.followers import Followers
from parley.namespaces.presence.greeting import Greeting
from parley.namespaces.presence.lists import RoomLists
from parley.namespaces.presence.memberships import Memberships
from parley.namespaces.presence.privacy import Privacy
from parley.namespaces.presence.seams import Rooms
from parley.namespaces.presence.service import PresenceService
from parley.namespaces.presence.tracked import TrackedUsers
from parley.namespaces.presence.views import Sightings
from parley.namespaces.session import Sessions
from parley.namespaces.transport import Transport
from parley.storage.base import UserRepository
from parley.storage.expiring import Bus, PresenceStore
from parley.storage.models import Timestamp


@dataclass(frozen=True, slots=True, kw_only=True)
class PresenceStorage:
    """Where presence keeps things, and how nodes tell one another."""

    store: PresenceStore
    users: UserRepository
    bus: Bus


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence:
    """One node's presence domain."""

    namespace: PresenceNamespace
    service: PresenceService
    devices: Devices  # to be told of the sessions of every namespace
    followers: Followers
    lists: RoomLists
    audit: Audit

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Hear of changes, and let devices come and go, meanwhile."""
        async with self.audit.running(), self.devices.running():
            yield


def assemble(
    storage: PresenceStorage,
    *,
    rooms: Rooms,
    server_id: str,
    transport: Transport,
    authenticate: Authenticator,
    grace_s: float,
    now: Callable[[], Timestamp],
) -> Presence:
    """Return presence over ``storage``, its sockets reached through ``transport``.

    Args:
        grace_s: How long somebody counts as here whose last device has left.
    """
    sessions: Sessions = {}
    crew = Crew()
    privacy = Privacy(rooms)
    memberships = Memberships(rooms)
    sightings = Sightings(store=storage.store, users=storage.users)
    tracked = TrackedUsers(sightings)
    followers = Followers(
        tracked=tracked, privacy=privacy, memberships=memberships, transport=transport, now=now
    )
    lists = RoomLists(tracked=tracked, privacy=privacy, rooms=rooms, transport=transport, crew=crew)
    devices = Devices(
        server_id=server_id,
        store=storage.store,
        users=storage.users,
        bus=storage.bus,
        grace_s=grace_s,
        now=now,
    )
    service = PresenceService(
        store=storage.store,
        sightings=sightings,
        privacy=privacy,
        devices=devices,
        followers=followers,
        lists=lists,
    )
    namespace = PresenceNamespace(
        service=service,
        greeting=Greeting(
            server_id=server_id,
            devices=devices,
            tracked=tracked,
            followers=followers,
            lists=lists,
            transport=transport,
            crew=crew,
        ),
        catch_up=CatchUp(
            followers=followers, lists=lists, transport=transport, sessions=sessions, crew=crew
        ),
        authenticate=authenticate,
        transport=transport,
        sessions=sessions,
    )
    audit = Audit(
        bus=storage.bus,
        devices=devices,
        tracked=tracked,
        followers=followers,
        lists=lists,
        memberships=memberships,
    )
    return Presence(
        namespace=namespace,
        service=service,
        devices=devices,
        followers=followers,
        lists=lists,
        audit=audit,
    )
