"""The chat domain put together, over whatever storage and transport it is given."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from parley.namespaces.chat.audience import Watched
from parley.namespaces.chat.audit import Audit
from parley.namespaces.chat.channels import Channels
from parley.namespaces.chat.control import ControlRows
from parley.namespaces.chat.directory import Directory
from parley.namespaces.chat.drafts import Drafts
from parley.namespaces.chat.ephemera import Ephemera
from parley.namespaces.chat.events import ChatNamespace
from parley.namespaces.chat.feeds import RoomFeeds
from parley.namespaces.chat.followed import FollowedUsers
from parley.namespaces.chat.membership import MembershipService
from parley.namespaces.chat.moderation import ModerationService
from parley.namespaces.chat.reading import ReadingService
from parley.namespaces.chat.relay import STORE, Calls, Relay
from parley.namespaces.chat.relayed_writes import RelayedWrites
from parley.namespaces.chat.resume import Resume
from parley.namespaces.chat.retention import Retention
from parley.namespaces.chat.rooms import RoomService
from parley.namespaces.chat.seams import Seams
from parley.namespaces.chat.service import MessageService
from parley.namespaces.chat.services import ChatServices
from parley.namespaces.chat.sync import Synchronizer
from parley.namespaces.chat.watching import Watching
from parley.namespaces.identity import Authenticator
from parley.namespaces.seal import Seal
from parley.namespaces.session import Sessions
from parley.namespaces.transport import Transport
from parley.storage.base import (
    MemberRepository,
    MessageRepository,
    RoomRepository,
    UserRepository,
)
from parley.storage.expiring import Bus
from parley.storage.models import Timestamp


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatStorage:
    """Where the chat keeps things, and how nodes tell one another."""

    rooms: RoomRepository
    members: MemberRepository
    messages: MessageRepository
    users: UserRepository
    bus: Bus


@dataclass(frozen=True, slots=True, kw_only=True)
class Others:
    """How this node speaks with others."""

    seal: Seal
    calls: Calls


@dataclass(frozen=True, slots=True, kw_only=True)
class Chat:
    """One node's chat domain."""

    namespace: ChatNamespace
    services: ChatServices
    feeds: RoomFeeds
    audit: Audit
    retention: Retention


def assemble(
    storage: ChatStorage,
    *,
    server_id: str,
    transport: Transport,
    authenticate: Authenticator,
    digest_key: bytes,
    others: Others | None = None,
    now: Callable[[], Timestamp],
    seams: Seams | None = None,
    retention_days: int | None = None,
    **door: Any,
) -> Chat:
    """Return the chat over ``storage``, its sockets reached through ``transport``.

    Args:
        others: None: there is no other node.
        seams: What takes part in sending; None: nothing.
        retention_days: See `Retention`.
        door: What else `BaseNamespace` takes.
    """
    sessions: Sessions = {}
    watched: Watched = WeakKeyDictionary()
    seams = seams or Seams()
    channels = Channels(
        bus=storage.bus,
        transport=transport,
        seal=None if others is None else others.seal,
        server_id=server_id,
    )
    feeds = RoomFeeds(
        rooms=storage.rooms,
        messages=storage.messages,
        channels=channels,
        transport=transport,
        sessions=sessions,
        watched=watched,
        notify=seams.notify,
        relay=None if others is None else Relay(others.calls),
    )
    if others is not None:
        others.calls.answers(STORE, RelayedWrites(feeds=feeds, now=now).store)
    followed = FollowedUsers(
        feeds=feeds, members=storage.members, bus=storage.bus, transport=transport
    )
    shared = _Shared(
        storage=storage,
        transport=transport,
        channels=channels,
        feeds=feeds,
        followed=followed,
        drafts=Drafts(now=now, digest_key=digest_key),
        seams=seams,
        now=now,
    )
    retention = Retention(
        rooms=storage.rooms, messages=storage.messages, days=retention_days, now=now
    )
    services = _services(shared, watched, retention)
    sync = Synchronizer(feeds=feeds, messages=storage.messages, members=storage.members)
    namespace = ChatNamespace(
        services=services,
        sync=sync,
        resume=_resume(shared, sync, server_id),
        now=now,
        authenticate=authenticate,
        transport=transport,
        sessions=sessions,
        **door,
    )
    return Chat(
        namespace=namespace,
        services=services,
        feeds=feeds,
        audit=Audit(feeds=feeds, users=followed, bus=storage.bus),
        retention=retention,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shared:
    """What most parts are made of."""

    storage: ChatStorage
    transport: Transport
    channels: Channels
    feeds: RoomFeeds
    followed: FollowedUsers
    drafts: Drafts
    seams: Seams
    now: Callable[[], Timestamp]


def _resume(shared: _Shared, sync: Synchronizer, server_id: str) -> Resume:
    return Resume(
        server_id=server_id,
        followed=shared.followed,
        sync=sync,
        members=shared.storage.members,
        users=shared.storage.users,
        transport=shared.transport,
        now=shared.now,
    )


def _services(shared: _Shared, watched: Watched, retention: Retention) -> ChatServices:
    storage, feeds, drafts, now = shared.storage, shared.feeds, shared.drafts, shared.now
    messages, members, seams = storage.messages, storage.members, shared.seams
    control = ControlRows(
        feeds=feeds, users=shared.followed, messages=messages, drafts=drafts, now=now
    )
    rooms = RoomService(
        feeds=feeds,
        users=shared.followed,
        rooms=storage.rooms,
        members=members,
        messages=messages,
        control=control,
        drafts=drafts,
        now=now,
        sweep_soon=retention.sweep_soon,
    )
    return ChatServices(
        rooms=rooms,
        membership=MembershipService(feeds=feeds, rooms=rooms, control=control, drafts=drafts),
        moderation=ModerationService(control=control, drafts=drafts, now=now),
        directory=Directory(feeds=feeds, rooms=storage.rooms, members=members, now=now),
        messages=MessageService(
            feeds=feeds, rooms=rooms, messages=messages, drafts=drafts, seams=seams, now=now
        ),
        reading=ReadingService(feeds=feeds, messages=messages, members=members),
        ephemera=Ephemera(
            feeds=feeds,
            channels=shared.channels,
            bus=storage.bus,
            transport=shared.transport,
            seams=seams,
            now=now,
        ),
        watching=Watching(feeds=feeds, watched=watched),
    )
