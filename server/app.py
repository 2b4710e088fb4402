"""Assembly: the only place where concrete classes meet, and the story of start and stop."""

import asyncio
import contextlib
import logging
import secrets
import signal
import time
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass, replace

from aiohttp import web

from parley.namespaces.chat.assembly import Chat, ChatStorage, assemble
from parley.namespaces.chat.seams import Seams
from parley.namespaces.notification import assembly as notification
from parley.namespaces.notification.pushing import Pushing
from parley.namespaces.notification.seams import Present, PushSender
from parley.namespaces.session import user_room
from parley.namespaces.transport import Close
from parley.server import http
from parley.server.auth import TokenAuthenticator, TokenMint
from parley.server.connections import Connections
from parley.server.engine.doors import SocketServer
from parley.server.engine.memory import collect_seldom
from parley.server.engine.transport import NamespaceTransport
from parley.server.keys import KeyRing, RootSecret
from parley.server.push import WebhookSender
from parley.server.settings import Settings
from parley.storage.memory.bus import MemoryBus
from parley.storage.memory.connections import MemoryConnectionRegistry
from parley.storage.models import Timestamp, UserId
from parley.storage.sqlite.database import Database
from parley.storage.sqlite.members import SqliteMembers
from parley.storage.sqlite.messages import SqliteMessages
from parley.storage.sqlite.mutes import SqliteMutes
from parley.storage.sqlite.notifications import SqliteNotifications
from parley.storage.sqlite.publications import SqlitePublications
from parley.storage.sqlite.pushes import SqlitePushes
from parley.storage.sqlite.rooms import SqliteRooms
from parley.storage.sqlite.users import SqliteUsers

logger = logging.getLogger(__name__)

STOP_S = 8.0  # for steps 1 to 4 of a shutdown; the process is gone in ten


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A running server."""

    server_id: str
    port: int
    sockets: SocketServer
    chat: Chat
    notifications: notification.Notifications
    connections: Connections
    api: http.Api
    mint: TokenMint


def _now() -> Timestamp:
    return Timestamp(time.time_ns() // 1_000_000)


async def serve(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT, then lose nothing that was accepted.

    Raises:
        DataFolderInUse: Another process has the data folder.
        KeyFileError: A key file is of no use.
        OSError: The port is taken, or the data folder cannot be written.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    # Windows has no signal handlers here; Ctrl-C ends `running` below by cancelling it.
    with contextlib.suppress(NotImplementedError):
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, stop.set)
    async with running(settings) as node:
        collect_seldom()
        http.announce(settings, node.port, node.mint)
        await stop.wait()


@contextlib.asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Node]:
    """Start a server and stop it in the end; see `serve` for what it raises."""
    keys = KeyRing.load(settings)
    digest_key = RootSecret.load(settings.data_dir).derive("request digest")
    async with Database.open(settings.data_dir) as database, _push_sender(settings) as sender:
        node, application = _assemble(settings, keys, digest_key, database, sender)
        runner = web.AppRunner(
            application,
            access_log=None,
            handle_signals=False,
            shutdown_timeout=1.0,
            auto_decompress=False,  # a body is as large as it looks; no client of ours packs one
        )
        await runner.setup()
        try:
            await node.notifications.begin()
            site = web.TCPSite(
                runner, settings.host, settings.port, backlog=4_096, reuse_address=True
            )
            await site.start()
            upkeep = [
                asyncio.create_task(node.chat.audit.forever()),
                asyncio.create_task(node.chat.retention.purge_forever()),
                asyncio.create_task(node.notifications.upkeep.forever()),
            ]
            if node.notifications.pushing is not None:
                upkeep.append(asyncio.create_task(node.notifications.pushing.forever()))
            async with node.connections.registered():
                try:
                    yield _listening(node, runner)
                finally:
                    for task in upkeep:
                        task.cancel()
                    await asyncio.wait(upkeep)
                    await _stop(node, site)
        finally:
            await runner.cleanup()


def _assemble(
    settings: Settings,
    keys: KeyRing,
    digest_key: bytes,
    database: Database,
    push: PushSender | None,
) -> tuple[Node, web.Application]:
    server_id = secrets.token_hex(4)
    sockets = _socket_server(settings)
    claims = (settings.jwt_audience, settings.jwt_issuer)
    authenticate = TokenAuthenticator(keys, audience=claims[0], issuer=claims[1])
    storage = _chat_storage(database)

    async def present(user_ids: Collection[UserId]) -> Collection[UserId]:
        return await connections.among(user_ids)

    notifications = notification.assemble(
        _notification_storage(database, storage),
        server_id=server_id,
        transport=(inboxes := NamespaceTransport(sockets, "/notification")),
        authenticate=authenticate,
        present=present,
        pushing=_pushing(settings, push, database, _live(present, inboxes)),
        digest_key=digest_key,
        now=_now,
        retention_days=settings.retention_days,
        sessions={},
    )
    chat = assemble(
        storage,
        server_id=server_id,
        transport=NamespaceTransport(sockets, "/chat"),
        authenticate=authenticate,
        digest_key=digest_key,
        now=_now,
        retention_days=settings.retention_days,
        seams=Seams(notify=notifications.alerts.note, forget=notifications.alerts.forget),
    )
    for namespace in (chat.namespace, notifications.namespace):
        sockets.register_namespace(namespace)
    connections = Connections(
        server_id=server_id,
        registry=MemoryConnectionRegistry(),
        rooms=storage.rooms,
        sockets=sockets,
        namespace=chat.namespace,
        others=[notifications.namespace],
        now=_now,
    )
    services = http.Services(
        chat=chat.services,
        notifications=notifications.services,
        users=storage.users,
        connections=connections,
        now=_now,
    )
    api = http.Api(
        services=services,
        namespaces={n.namespace: type(n) for n in (chat.namespace, notifications.namespace)},
        authenticate=authenticate,
    )
    mint = TokenMint(keys, audience=claims[0], issuer=claims[1])
    application = http.application(settings, server_id=server_id, mint=mint, api=api)
    sockets.attach(application)
    node = Node(
        server_id=server_id,
        port=0,
        sockets=sockets,
        chat=chat,
        notifications=notifications,
        connections=connections,
        api=api,
        mint=mint,
    )
    return node, application


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


def _chat_storage(database: Database) -> ChatStorage:
    return ChatStorage(
        rooms=SqliteRooms(database),
        members=SqliteMembers(database),
        messages=SqliteMessages(database),
        users=SqliteUsers(database),
        bus=MemoryBus(),
    )


def _notification_storage(
    database: Database, chat: ChatStorage
) -> notification.NotificationStorage:
    return notification.NotificationStorage(
        notifications=SqliteNotifications(database),
        mutes=SqliteMutes(database),
        publications=SqlitePublications(database),
        messages=chat.messages,
        rooms=chat.rooms,
        members=chat.members,
        users=chat.users,
        bus=chat.bus,
    )


@contextlib.asynccontextmanager
async def _push_sender(settings: Settings) -> AsyncIterator[PushSender | None]:
    if settings.push_url is None or settings.push_secret is None:
        yield None
        return
    secret = settings.push_secret.encode()
    async with WebhookSender.open(
        settings.push_url, secret, private=settings.push_private
    ) as sender:
        yield sender


def _pushing(
    settings: Settings, sender: PushSender | None, database: Database, live: Present
) -> Pushing | None:
    if sender is None:
        return None
    return Pushing(
        outbox=SqlitePushes(database),
        sender=sender,
        present=live,
        now=_now,
        after_ms=settings.push_after_ms,
        most=settings.push_outbox,
    )


def _live(present: Present, inboxes: NamespaceTransport) -> Present:
    """Return who has any live device: one in the chat, or one that only has the inbox."""

    async def live(user_ids: Collection[UserId]) -> Collection[UserId]:
        here = {user for user in user_ids if inboxes.sockets(user_room(user))}
        return here | set(await present(user_ids))

    return live


def _listening(node: Node, runner: web.AppRunner) -> Node:
    return replace(node, port=runner.addresses[0][1])


async def _stop(node: Node, site: web.TCPSite) -> None:
    """Stop so that every accepted event is answered and every client comes back by itself."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(STOP_S):
            # 1. Nobody new.
            await site.stop()
            # 2. Events and requests that came are answered; later ones get `draining`.
            await asyncio.gather(
                node.chat.namespace.drain(),
                node.notifications.namespace.drain(),
                node.api.in_flight.drain(),
            )
            # 3. Rows that were queued are on disk and shown.
            await node.chat.feeds.settled()
            await node.notifications.stop()
            # 4. What was answered has left this process.
            await node.sockets.flushed()
    # 5. Connections end with 1012, so that stock clients connect again. Storage closes last.
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(1):
            await node.sockets.close_all(Close.DRAINING)
