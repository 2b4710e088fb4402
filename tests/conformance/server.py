"""The server that the official protocol suites expect: ``eio`` or ``sio``, on ``--port N``.

The suites are in the socketio/socket.io repository, under docs/; their readmes say how to run
them. Timings, paths and answers here are theirs.
"""

# pyright: standard
# (python-socketio ships without types)

import argparse
import asyncio
from typing import Any

from aiohttp import web

from parley.server.engine.engine import Engine
from parley.server.engine.rooms import Member
from parley.server.engine.server import Server

TIMES: dict[str, Any] = {"ping_interval": 0.3, "ping_timeout": 0.2, "connect_timeout": 1.0}
MAX_PAYLOAD = 1_000_000

SERVER: web.AppKey[Any] = web.AppKey("server", object)
"""Where an application has its server, for our own tests."""


class Suite(Server):
    """Sends ``auth`` behind each CONNECT answer, where the reference server does."""

    async def admitted(self, member: Member, auth: Any) -> None:
        """See `Server`."""
        await self.emit("auth", auth or {}, to=member.sid, namespace=member.namespace)


def engine(**settings: Any) -> web.Application:
    """Return an Engine.IO server that says what it hears."""
    options = {**TIMES, **settings}
    eio = Engine(max_http_buffer_size=MAX_PAYLOAD, cors_allowed_origins=[], **options)

    async def message(sid: str, data: str | bytes) -> None:
        await eio.send(sid, data)

    eio.on("message", message)
    return application(eio, "engine.io")


def sockets(**times: float) -> web.Application:
    """Return a Socket.IO server with the namespaces ``/`` and ``/custom``."""
    options = {**TIMES, **times}
    sio = Suite(max_http_buffer_size=MAX_PAYLOAD, cors_allowed_origins=[], **options)

    async def let_in(sid: str, environ: dict[str, Any], auth: Any) -> None:
        """Refuse nobody."""

    async def with_ack(sid: str, *arguments: Any) -> tuple[Any, ...]:
        return arguments

    for namespace in ("/", "/custom"):

        async def message(sid: str, *arguments: Any, namespace: str = namespace) -> None:
            await sio.emit("message-back", arguments, to=sid, namespace=namespace)

        sio.on("connect", let_in, namespace=namespace)
        sio.on("message", message, namespace=namespace)
        sio.on("message-with-ack", with_ack, namespace=namespace)
    return application(sio, "socket.io")


def application(server: Any, path: str) -> web.Application:
    """Return an application that serves nothing else."""
    app = web.Application(client_max_size=MAX_PAYLOAD)
    app[SERVER] = server
    server.attach(app, path)
    return app


async def serve(kind: str, port: int) -> None:
    """Serve until killed."""
    runner = web.AppRunner(engine() if kind == "eio" else sockets(), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.conformance.server")
    parser.add_argument("kind", choices=("eio", "sio"))
    parser.add_argument("--port", type=int, default=3000)
    options = parser.parse_args()
    asyncio.run(serve(options.kind, options.port))
