"""Where concrete classes meet: one node, put together over what it keeps things in."""

import secrets
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from aiohttp import web

from parley.namespaces.base import BaseNamespace
from parley.namespaces.chat.assembly import Chat
from parley.namespaces.chat.assembly import assemble as assemble_chat
from parley.namespaces.chat.seams import Seams
from parley.namespaces.notification.assembly import Notifications
from parley.namespaces.notification.assembly import assemble as assemble_notifications
from parley.namespaces.notification.pushing import Pushing
from parley.namespaces.notification.seams import Present, PushSender
from parley.namespaces.presence.assembly import Presence, PresenceStorage
from parley.namespaces.presence.assembly import assemble as assemble_presence
from parley.namespaces.session import FirstAndLast, user_room
from parley.server import http
from parley.server.acquaintances import Acquaintances
from parley.server.auth import TokenAuthenticator, TokenMint
from parley.server.connections import Connections
from parley.server.engine.doors import SocketServer
from parley.server.engine.transport import NamespaceTransport
from parley.server.keys import KeyRing
from parley.server.settings import Settings
from parley.server.stores import Inboxes, Stores
from parley.storage.memory.connections import MemoryConnectionRegistry
from parley.storage.memory.presence import MemoryPresenceStore
from parley.storage.models import Timestamp, UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A running server."""

    server_id: str
    port: int
    sockets: SocketServer
    chat: Chat
    presence: Presence
    notifications: Notifications | None  # None: nothing keeps them
    connections: Connections
    api: http.Api
    mint: TokenMint

    @property
    def namespaces(self) -> Sequence[BaseNamespace]:
        """Return every door."""
        inboxes = [] if self.notifications is None else [self.notifications.namespace]
        return [self.chat.namespace, self.presence.namespace, *inboxes]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Basis:
    """What every domain is made of."""

    settings: Settings
    server_id: str
    sockets: SocketServer
    stores: Stores
    authenticate: TokenAuthenticator
    digest_key: bytes

    def transport(self, namespace: str) -> NamespaceTransport:
        return NamespaceTransport(self.sockets, namespace)


def assemble(
    settings: Settings, keys: KeyRing, digest_key: bytes, stores: Stores, push: PushSender | None
) -> tuple[Node, web.Application]:
    """Return a node that does not listen yet, and what answers its requests."""
    claims = (settings.jwt_audience, settings.jwt_issuer)
    basis = _Basis(
        settings=settings,
        server_id=secrets.token_hex(4),
        sockets=_socket_server(settings),
        stores=stores,
        authenticate=TokenAuthenticator(keys, audience=claims[0], issuer=claims[1]),
        digest_key=digest_key,
    )
    devices = _Devices()
    notifications = None
    if stores.inboxes is not None:
        notifications = _notifications(basis, stores.inboxes, push, devices)
    chat = _chat(basis, notifications)
    presence = _presence(basis, chat)
    inboxes = [] if notifications is None else [notifications.namespace]
    devices.connections = connections = Connections(
        server_id=basis.server_id,
        registry=MemoryConnectionRegistry(),
        rooms=stores.chat.rooms,
        sockets=basis.sockets,
        namespace=chat.namespace,
        others=[presence.namespace, *inboxes],
        now=_now,
    )
    services = http.Services(
        chat=chat.services,
        presence=presence.service,
        notifications=None if notifications is None else notifications.services,
        users=stores.chat.users,
        connections=connections,
        now=_now,
    )
    doors: Sequence[BaseNamespace] = [chat.namespace, presence.namespace, *inboxes]
    # A connection that joins any namespace is a device.
    by_connection = FirstAndLast(presence.devices)
    for door in doors:
        basis.sockets.register_namespace(door)
        door.observe(by_connection)
    api = http.Api(
        services=services,
        namespaces={door.namespace: type(door) for door in doors},
        authenticate=basis.authenticate,
    )
    mint = TokenMint(keys, audience=claims[0], issuer=claims[1])
    application = http.application(settings, server_id=basis.server_id, mint=mint, api=api)
    basis.sockets.attach(application)
    node = Node(
        server_id=basis.server_id,
        port=0,
        sockets=basis.sockets,
        chat=chat,
        presence=presence,
        notifications=notifications,
        connections=connections,
        api=api,
        mint=mint,
    )
    return node, application


def _now() -> Timestamp:
    return Timestamp(time.time_ns() // 1_000_000)


def _socket_server(settings: Settings) -> SocketServer:
    return SocketServer(
        cors_allowed_origins=[],  # server.http checks origins and answers for them
        max_http_buffer_size=settings.max_payload,
        ping_interval=settings.ping_interval_ms / 1000,
        ping_timeout=settings.ping_timeout_ms / 1000,
        queue_bytes=settings.queue_bytes,
        write_timeout=settings.write_timeout_ms / 1000,
        connect_timeout=settings.connect_timeout_ms / 1000,
        peer=http.Peers(settings.trusted_proxies),
        compression=settings.compression,
    )


def _chat(basis: _Basis, notifications: Notifications | None) -> Chat:
    seams = Seams()
    if notifications is not None:
        seams = Seams(notify=notifications.alerts.note, revise=notifications.alerts.revise)
    return assemble_chat(
        basis.stores.chat,
        server_id=basis.server_id,
        transport=basis.transport("/chat"),
        authenticate=basis.authenticate,
        digest_key=basis.digest_key,
        now=_now,
        seams=seams,
        retention_days=basis.settings.retention_days,
    )


def _presence(basis: _Basis, chat: Chat) -> Presence:
    storage = basis.stores.chat
    return assemble_presence(
        PresenceStorage(store=MemoryPresenceStore(), users=storage.users, bus=storage.bus),
        rooms=Acquaintances(feeds=chat.feeds, members=storage.members),
        server_id=basis.server_id,
        transport=basis.transport("/presence"),
        authenticate=basis.authenticate,
        grace_s=basis.settings.presence_grace_ms / 1000,
        now=_now,
    )


def _notifications(
    basis: _Basis, inboxes: Inboxes, push: PushSender | None, devices: "_Devices"
) -> Notifications:
    settings = basis.settings
    return assemble_notifications(
        inboxes.storage,
        server_id=basis.server_id,
        transport=basis.transport("/notification"),
        authenticate=basis.authenticate,
        present=_hearing(basis.transport("/chat")),
        pushing=None if push is None else _pushing(settings, inboxes, push, devices),
        digest_key=basis.digest_key,
        now=_now,
        retention_days=settings.retention_days,
        sessions={},
    )


def _pushing(
    settings: Settings, inboxes: Inboxes, push: PushSender, devices: "_Devices"
) -> Pushing:
    return Pushing(
        outbox=inboxes.pushes,
        sender=push,
        present=devices,
        now=_now,
        after_ms=settings.push_after_ms,
        most=settings.push_outbox,
    )


def _hearing(chat: NamespaceTransport) -> Present:
    """Return who hears the chat: no message to her has to become a notification."""

    async def hearing(user_ids: Collection[UserId]) -> Collection[UserId]:
        return {user for user in user_ids if chat.sockets(user_room(user))}

    return hearing


class _Devices:
    """Who has a live device, whatever it does here; nothing has to be pushed to her."""

    connections: Connections  # made after what asks

    async def __call__(self, user_ids: Collection[UserId]) -> Collection[UserId]:
        return await self.connections.among(user_ids)
