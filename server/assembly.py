"""Where concrete classes meet: one node, put together over what it keeps things in."""

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from aiohttp import web

from parley.namespaces.base import BaseNamespace
from parley.namespaces.chat.assembly import Chat, Others
from parley.namespaces.chat.assembly import assemble as assemble_chat
from parley.namespaces.chat.seams import Seams
from parley.namespaces.notification.assembly import Notifications
from parley.namespaces.notification.assembly import assemble as assemble_notifications
from parley.namespaces.notification.pushing import Pushing
from parley.namespaces.notification.seams import PushSender
from parley.namespaces.presence.assembly import Presence, PresenceStorage
from parley.namespaces.presence.assembly import assemble as assemble_presence
from parley.namespaces.session import FirstAndLast, SessionObserver
from parley.server import http, open_files
from parley.server.acquaintances import Acquaintances
from parley.server.admission import Admission
from parley.server.auth import TokenMint
from parley.server.basis import Basis
from parley.server.cluster.calls import NodeCalls
from parley.server.connections import Connections
from parley.server.engine.doors import SocketServer
from parley.server.keys import KeyRing, RootSecret
from parley.server.lag import Lag
from parley.server.live import LiveConnections
from parley.server.settings import Settings
from parley.server.shared import Shared
from parley.server.stores import Inboxes, Stores
from parley.storage.models import Timestamp, UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A running server."""

    server_id: str
    port: int
    sockets: SocketServer
    chat: Chat
    presence: Presence
    notifications: Notifications
    live: LiveConnections
    connections: Connections
    calls: NodeCalls
    lag: Lag
    admission: Admission
    api: http.Api
    mint: TokenMint

    @property
    def namespaces(self) -> Sequence[BaseNamespace]:
        """Return every door."""
        return [self.chat.namespace, self.presence.namespace, self.notifications.namespace]


def assemble(
    settings: Settings,
    keys: KeyRing,
    secret: RootSecret,
    shared: Shared,
    stores: Stores,
    push: PushSender | None,
) -> tuple[Node, web.Application]:
    """Return a node that does not listen yet, and what answers its requests."""
    basis = Basis.of(settings, keys, secret, shared, stores)
    present = _Present()
    notifications = _notifications(basis, push, present)
    chat = _chat(basis, notifications)
    presence = _presence(basis, chat)
    others: list[BaseNamespace] = [presence.namespace, notifications.namespace]
    live, connections = _connections(basis, chat, others)
    present.connections = connections
    # A connection that joins any namespace is a device.
    _open(basis.sockets, [chat.namespace, *others], FirstAndLast(presence.devices))
    services = http.Services(
        chat=chat.services,
        presence=presence.service,
        notifications=notifications.services,
        users=stores.chat.users,
        connections=connections,
        bus=shared.bus,
        now=_now,
    )
    lag = Lag(settings.max_lag_ms / 1000)
    node = Node(
        server_id=basis.server_id,
        port=0,
        sockets=basis.sockets,
        chat=chat,
        presence=presence,
        notifications=notifications,
        live=live,
        connections=connections,
        calls=basis.calls,
        lag=lag,
        admission=_admission(settings, basis.sockets, lag),
        api=http.Api(
            services=services,
            namespaces={door.namespace: type(door) for door in (chat.namespace, *others)},
            authenticate=basis.authenticate,
        ),
        mint=TokenMint(keys, audience=settings.jwt_audience, issuer=settings.jwt_issuer),
    )
    application = http.application(
        settings,
        server_id=node.server_id,
        mint=node.mint,
        api=node.api,
        admission=node.admission,
    )
    basis.sockets.attach(application)
    return node, application


def _connections(
    basis: Basis, chat: Chat, others: Sequence[BaseNamespace]
) -> tuple[LiveConnections, Connections]:
    """Return what keeps this node's connections known, and what asks about those of all."""
    registry = basis.shared.connections
    live = LiveConnections(
        server_id=basis.server_id,
        registry=registry,
        chat=chat.namespace,
        others=others,
        now=_now,
    )
    connections = Connections(
        server_id=basis.server_id,
        live=live,
        registry=registry,
        calls=basis.calls,
        rooms=basis.stores.chat.rooms,
        sockets=basis.sockets,
        namespace=chat.namespace,
        others=others,
    )
    return live, connections


def _open(sockets: SocketServer, doors: Sequence[BaseNamespace], observer: SessionObserver) -> None:
    for door in doors:
        sockets.register_namespace(door)
        door.observe(observer)


def _now() -> Timestamp:
    return Timestamp(time.time_ns() // 1_000_000)


def _admission(settings: Settings, sockets: SocketServer, lag: Lag) -> Admission:
    most = settings.max_connections or open_files.limit()
    return Admission(connected=lambda: len(sockets.eio.sockets), most=most, lag=lag)


def _chat(basis: Basis, notifications: Notifications) -> Chat:
    return assemble_chat(
        basis.stores.chat,
        server_id=basis.server_id,
        transport=basis.transport("/chat"),
        authenticate=basis.authenticate,
        digest_key=basis.digest_key,
        others=None if basis.seal is None else Others(seal=basis.seal, calls=basis.calls),
        now=_now,
        seams=Seams(notify=notifications.alerts.note, revise=notifications.alerts.revise),
        retention_days=basis.settings.retention_days,
    )


def _presence(basis: Basis, chat: Chat) -> Presence:
    storage = basis.stores.chat
    return assemble_presence(
        PresenceStorage(store=basis.shared.presence, users=storage.users, bus=storage.bus),
        rooms=Acquaintances(feeds=chat.feeds, members=storage.members),
        server_id=basis.server_id,
        transport=basis.transport("/presence"),
        authenticate=basis.authenticate,
        grace_s=basis.settings.presence_grace_ms / 1000,
        now=_now,
    )


def _notifications(basis: Basis, push: PushSender | None, present: "_Present") -> Notifications:
    settings, inboxes = basis.settings, basis.stores.inboxes
    return assemble_notifications(
        inboxes.storage,
        server_id=basis.server_id,
        transport=basis.transport("/notification"),
        authenticate=basis.authenticate,
        present=present.hearing,
        pushing=None if push is None else _pushing(settings, inboxes, push, present),
        digest_key=basis.digest_key,
        now=_now,
        retention_days=settings.retention_days,
        sessions={},
    )


def _pushing(
    settings: Settings, inboxes: Inboxes, push: PushSender, present: "_Present"
) -> Pushing:
    return Pushing(
        outbox=inboxes.pushes,
        sender=push,
        present=present.connected,
        now=_now,
        after_ms=settings.push_after_ms,
        most=settings.push_outbox,
    )


class _Present:
    """Who is there, of whom nothing has to be kept or pushed."""

    connections: Connections  # made after what asks

    async def hearing(self, user_ids: Collection[UserId]) -> Collection[UserId]:
        """Return who hears the chat: no message to her has to become a notification."""
        return await self.connections.hearing(user_ids)

    async def connected(self, user_ids: Collection[UserId]) -> Collection[UserId]:
        """Return who has a live device, whatever it does here."""
        return await self.connections.among(user_ids)
