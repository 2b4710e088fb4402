"""Assembly: the only place where concrete classes meet, and the story of start and stop."""

import asyncio
import contextlib
import logging
import secrets
import signal
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

from aiohttp import web
from engineio.payload import Payload

from parley.namespaces.chat.drafts import Drafts
from parley.namespaces.chat.events import ChatNamespace
from parley.namespaces.chat.feeds import RoomFeeds
from parley.namespaces.chat.reading import ReadingService
from parley.namespaces.chat.resume import Resume
from parley.namespaces.chat.rooms import RoomService
from parley.namespaces.chat.service import MessageService
from parley.namespaces.chat.sync import Synchronizer
from parley.namespaces.session import Sessions
from parley.namespaces.transport import Close
from parley.server import http
from parley.server.auth import TokenAuthenticator, TokenMint
from parley.server.engine.server import NamespaceTransport, SocketServer
from parley.server.keys import KeyRing, RootSecret
from parley.server.settings import Settings
from parley.storage.memory.bus import MemoryBus
from parley.storage.models import Timestamp
from parley.storage.sqlite.database import Database
from parley.storage.sqlite.members import SqliteMembers
from parley.storage.sqlite.messages import SqliteMessages
from parley.storage.sqlite.rooms import SqliteRooms
from parley.storage.sqlite.users import SqliteUsers

logger = logging.getLogger(__name__)

# python-engineio refuses a polling body of more than 16 packets with an answer of 200, so that
# 40 events sent in one tick are lost but for the first. Our own engine will count bytes instead.
Payload.max_decode_packets = 10_000

STOP_S = 8.0  # for each step of a shutdown together; the process is gone in ten seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A running server."""

    server_id: str
    port: int
    sockets: SocketServer
    chat: ChatNamespace
    feeds: RoomFeeds
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
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    async with running(settings) as node:
        http.announce(settings, node.port, node.mint)
        await stop.wait()


@contextlib.asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Node]:
    """Start a server and stop it in the end; see `serve` for what it raises."""
    keys = KeyRing.load(settings)
    digest_key = RootSecret.load(settings.data_dir).derive("request digest")
    async with Database.open(settings.data_dir) as database:
        node, application = _assemble(settings, keys, digest_key, database)
        runner = web.AppRunner(application, access_log=None, handle_signals=False)
        await runner.setup()
        try:
            site = web.TCPSite(
                runner, settings.host, settings.port, backlog=4_096, reuse_address=True
            )
            await site.start()
            audit = asyncio.create_task(node.feeds.audit_forever())
            try:
                yield _listening(node, runner)
            finally:
                audit.cancel()
                await _stop(node, site)
        finally:
            await runner.cleanup()


def _assemble(
    settings: Settings, keys: KeyRing, digest_key: bytes, database: Database
) -> tuple[Node, web.Application]:
    server_id = secrets.token_hex(4)
    messages, members = SqliteMessages(database), SqliteMembers(database)
    rooms, users = SqliteRooms(database), SqliteUsers(database)
    audience, issuer = settings.jwt_audience, settings.jwt_issuer
    sockets = SocketServer(
        cors_allowed_origins=[],  # server.http checks origins and answers for them
        max_http_buffer_size=settings.max_payload,
        ping_interval=settings.ping_interval_ms / 1000,
        ping_timeout=settings.ping_timeout_ms / 1000,
    )
    transport = NamespaceTransport(sockets, "/chat")
    sessions: Sessions = {}
    feeds = RoomFeeds(
        rooms=rooms, messages=messages, bus=MemoryBus(), transport=transport, sessions=sessions
    )
    drafts = Drafts(now=_now, digest_key=digest_key)
    room_service = RoomService(feeds=feeds, rooms=rooms, drafts=drafts, now=_now)
    sync = Synchronizer(feeds=feeds, messages=messages, members=members)
    chat = ChatNamespace(
        messages=MessageService(feeds=feeds, rooms=room_service, messages=messages, drafts=drafts),
        rooms=room_service,
        reading=ReadingService(feeds=feeds, messages=messages, members=members),
        sync=sync,
        resume=Resume(
            server_id=server_id,
            feeds=feeds,
            sync=sync,
            members=members,
            users=users,
            transport=transport,
            now=_now,
        ),
        authenticate=TokenAuthenticator(keys, audience=audience, issuer=issuer),
        transport=transport,
        sessions=sessions,
    )
    sockets.register_namespace(chat)
    mint = TokenMint(keys, audience=audience, issuer=issuer)
    application = http.application(settings, server_id=server_id, mint=mint)
    sockets.attach(application)
    node = Node(server_id=server_id, port=0, sockets=sockets, chat=chat, feeds=feeds, mint=mint)
    return node, application


def _listening(node: Node, runner: web.AppRunner) -> Node:
    return replace(node, port=runner.addresses[0][1])


async def _stop(node: Node, site: web.TCPSite) -> None:
    """Stop so that every accepted event is answered and every client comes back by itself."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(STOP_S):
            # 1. Nobody new.
            await site.stop()
            # 2. Events that came are answered; later ones get `draining`.
            await node.chat.drain()
            # 3. Rows that were queued are on disk and shown.
            await node.feeds.settled()
            # 4. What was answered has left this process.
            await node.sockets.flushed()
    # 5. Connections end with 1012, so that stock clients connect again. Storage closes last.
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(1):
            await node.sockets.close_all(Close.DRAINING)
