"""What the two Python peers share: the contract, and how they are served."""

import asyncio
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any

from aiohttp import web

ROOM = "room"
PING_INTERVAL_S = 25  # Socket.IO's default on Node
PING_TIMEOUT_S = 20
BACKLOG = 511  # connections that wait to be accepted, as on Node


def keep(sio: Any) -> None:
    """Let ``sio`` keep the contract that the folder's docstring tells."""

    async def connect(sid: str, _environ: dict[str, Any], _auth: Any = None) -> None:
        await sio.enter_room(sid, ROOM)

    async def echo(_sid: str, argument: Any) -> Any:
        return argument

    async def bcast(_sid: str, argument: Any) -> None:
        await sio.emit("msg", argument, room=ROOM)

    for handler in (connect, echo, bcast):
        sio.on(handler.__name__, handler)


def serve(sio: Any, beside: AbstractAsyncContextManager[None] | None = None) -> None:
    """Serve on the port that the command line names, until killed; ``beside`` runs meanwhile."""
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_serve(sio, beside or nullcontext()))


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    try:
        import uvloop  # noqa: PLC0415
    except ImportError:  # it does not exist for every system
        return asyncio.new_event_loop
    return uvloop.new_event_loop


async def _serve(sio: Any, beside: AbstractAsyncContextManager[None]) -> None:
    app = web.Application()
    sio.attach(app)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", int(sys.argv[1]), backlog=BACKLOG).start()
    async with beside:
        print("listening", flush=True)
        await asyncio.Event().wait()
