"""The story of start and stop."""

import asyncio
import contextlib
import logging
import os
import random
import signal
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import replace
from typing import Any

from aiohttp import web

from parley.namespaces.transport import Close
from parley.server import discovery, http, open_files, push, shared, stores
from parley.server.assembly import Node, assemble
from parley.server.cluster.joining import joined
from parley.server.engine.memory import collect_seldom
from parley.server.keys import KeyRing, RootSecret
from parley.server.settings import Settings

logger = logging.getLogger(__name__)

GONE_S = 9.0  # after a signal the process ends, whatever it waits for
STOP_S = 6.5  # for steps 1 to 4 of a shutdown
FAREWELL_S = 1.5  # for step 5

RETRY_MS = 500  # after which the first may come back
ALL_BACK_MS = 5_000  # until the last is asked to: what stock clients wait at most
A_SECOND = 1_000  # clients that may come back in one


async def serve(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT, then lose nothing that was accepted.

    Raises:
        DataFolderInUse: Another process has the data folder.
        RedisInUse: Nodes with another database or cluster key have this Redis.
        StorageError: MongoDB does not answer, or is none that will do.
        KeyFileError: A key file is of no use.
        OSError: The port is taken, or the data folder cannot be written.
    """
    open_files.raise_limit()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    # Windows has no signal handlers here; Ctrl-C ends `running` below by cancelling it.
    with contextlib.suppress(NotImplementedError):
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, _stop_in_time, stop)
    async with running(settings) as node:
        collect_seldom()
        http.announce(settings, node.port, node.mint)
        await stop.wait()


def _stop_in_time(stop: asyncio.Event) -> None:
    """Begin to stop, also in the middle of a start, and see that it ends."""
    stop.set()
    asyncio.get_running_loop().call_later(GONE_S, _leave)


def _leave() -> None:
    """End at once, as by ``kill -9``: what was acknowledged is on disk."""
    logger.warning("what still waits for others is left: the time to stop is over")
    logging.shutdown()
    os._exit(0)


@contextlib.asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Node]:
    """Start a server and stop it in the end; see `serve` for what it raises."""
    keys = KeyRing.load(settings)
    secret = RootSecret.load(settings)
    async with (
        shared.opened(settings) as common,
        stores.opened(settings, common.bus) as kept,
        push.opened(settings) as sender,
    ):
        node, application = assemble(settings, keys, secret, common, kept, sender)
        # Before anybody connects: a node that may not be one has nobody to send away.
        nodes = joined(
            common.nodes,
            node.server_id,
            store_id=kept.id,
            fingerprint=secret.fingerprint(),
            place=kept.place,
        )
        async with nodes, node.calls.running(), _serving(settings, node, application) as serving:
            yield serving


@contextlib.asynccontextmanager
async def _serving(
    settings: Settings, node: Node, application: web.Application
) -> AsyncIterator[Node]:
    """Listen meanwhile; the node that is given back knows its port."""
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
        site = web.TCPSite(runner, settings.host, settings.port, backlog=4_096, reuse_address=True)
        await site.start()
        port: int = runner.addresses[0][1]
        name = settings.node or node.server_id
        backends = node.sockets.manager.running()
        async with node.live.registered(), node.presence.running(), backends:
            upkeep = [asyncio.create_task(work) for work in _upkeep(node)]
            try:
                # It leaves first, so that nobody is sent here while the rest stops.
                async with discovery.listed(settings, name=name, port=port):
                    yield replace(node, port=port)
            finally:
                for task in upkeep:
                    task.cancel()
                await asyncio.wait(upkeep)
                await _stop(node, drain_s=settings.drain_ms / 1000)
    finally:
        await runner.cleanup()


def _upkeep(node: Node) -> list[Coroutine[Any, Any, None]]:
    """Return what goes on for as long as the server runs."""
    works = [
        node.chat.audit.forever(),
        node.chat.retention.purge_forever(),
        node.notifications.upkeep.forever(),
        node.lag.forever(),
    ]
    if node.notifications.pushing is not None:
        works.append(node.notifications.pushing.forever())
    return works


async def _stop(node: Node, *, drain_s: float) -> None:
    """Stop so that every accepted event is answered and every client comes back by itself.

    Requests are taken to the end: who polls may need another one for what she is still sent.
    """
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(STOP_S):
            # 1. Nobody new. Balancers see it while those who are here go on.
            node.admission.close()
            await asyncio.sleep(drain_s)
            # 2. Events and requests that came are answered; later ones get `draining`.
            doors = [door.drain() for door in node.namespaces]
            await asyncio.gather(*doors, node.api.in_flight.drain())
            # 3. Rows that were queued are on disk and shown.
            await node.chat.feeds.settled()
            await node.notifications.stop()
            # 4. What was answered has left this process.
            await node.sockets.flushed()
    # 5. Everybody is told when to come back, not all at the same time.
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(FAREWELL_S):
            node.sockets.announce_end(_come_back(len(node.sockets.eio.sockets)))
            await node.sockets.flushed()
    # 6. Connections end with 1012, so that stock clients connect again. Storage closes last.
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(1):
            await node.sockets.close_all(Close.DRAINING)


def _come_back(clients: int) -> Callable[[], int]:
    """Return what says after how many milliseconds one of so many clients may come back."""
    latest = min(RETRY_MS + 1_000 * (1 + clients // A_SECOND), ALL_BACK_MS)
    return lambda: random.randint(RETRY_MS, latest)  # noqa: S311 (spreads load, guards nothing)
