"""The means to hold the writer up, so that a test decides what waits together."""

import asyncio
import threading
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from parley.storage.sqlite.connection import WritingConnection
from parley.storage.sqlite.database import Database


@asynccontextmanager
async def held(database: Database) -> AsyncGenerator[None, None]:
    """Keep the writer busy inside; what is written meanwhile goes into one transaction."""
    loop, started, go_on = asyncio.get_running_loop(), asyncio.Event(), threading.Event()

    def wait(connection: WritingConnection) -> None:
        loop.call_soon_threadsafe(started.set)
        go_on.wait(30)

    holding = asyncio.create_task(database.write(wait))
    await started.wait()
    try:
        yield
        # One turn of the loop, so that tasks made inside have handed over their jobs.
        await asyncio.sleep(0)
    finally:
        go_on.set()
        await holding
