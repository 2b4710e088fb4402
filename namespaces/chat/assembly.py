"""The chat domain put together, over whatever storage and transport it is given."""

from collections.abc import Callable
from dataclasses import dataclass

from parley.namespaces.chat.drafts import Drafts
from parley.namespaces.chat.events import ChatNamespace
from parley.namespaces.chat.feeds import RoomFeeds
from parley.namespaces.chat.reading import ReadingService
from parley.namespaces.chat.resume import Resume
from parley.namespaces.chat.rooms import RoomService
from parley.namespaces.chat.service import MessageService
from parley.namespaces.chat.sync import Synchronizer
from parley.namespaces.identity import Authenticator
from parley.namespaces.session import Sessions
from parley.namespaces.transport import Transport
from parley.storage.base import (
    Bus,
    MemberRepository,
    MessageRepository,
    RoomRepository,
    UserRepository,
)
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
class Chat:
    """One node's chat domain."""

    namespace: ChatNamespace
    feeds: RoomFeeds


def assemble(
    storage: ChatStorage,
    *,
    server_id: str,
    transport: Transport,
    authenticate: Authenticator,
    digest_key: bytes,
    now: Callable[[], Timestamp],
) -> Chat:
    """Return the chat over ``storage``, its sockets reached through ``transport``."""
    messages, members = storage.messages, storage.members
    sessions: Sessions = {}
    feeds = RoomFeeds(
        rooms=storage.rooms,
        members=members,
        messages=messages,
        bus=storage.bus,
        transport=transport,
        sessions=sessions,
    )
    drafts = Drafts(now=now, digest_key=digest_key)
    rooms = RoomService(
        feeds=feeds,
        rooms=storage.rooms,
        members=members,
        messages=messages,
        drafts=drafts,
        now=now,
    )
    sync = Synchronizer(feeds=feeds, messages=messages, members=members)
    resume = Resume(
        server_id=server_id,
        feeds=feeds,
        sync=sync,
        members=members,
        users=storage.users,
        transport=transport,
        now=now,
    )
    namespace = ChatNamespace(
        messages=MessageService(feeds=feeds, rooms=rooms, messages=messages, drafts=drafts),
        rooms=rooms,
        reading=ReadingService(feeds=feeds, messages=messages, members=members),
        sync=sync,
        resume=resume,
        authenticate=authenticate,
        transport=transport,
        sessions=sessions,
    )
    return Chat(namespace=namespace, feeds=feeds)
