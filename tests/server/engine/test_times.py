"""The deadlines of connections: who has answered is not silent."""

import asyncio
from typing import Any

from parley.namespaces.transport import Close
from parley.server.engine.connection import Connection
from parley.server.engine.engine import Engine
from parley.server.engine.times import Times


async def test_a_deadline_that_was_met_closes_nobody_by_its_time() -> None:
    """A client that answered stays when its next ping is due at the time of the old deadline."""
    engine: Any = Engine(cors_allowed_origins=[])
    connection = Connection(engine, "sid", {})
    ended: list[Close] = []
    times: Any = Times(
        {"sid": connection},
        lambda _, how: ended.append(how),
        ping_interval=60,
        ping_timeout=60,
        connect_timeout=60,
        write_timeout=60,
    )
    due = asyncio.get_running_loop().time()
    connection.beat_due, connection.awaits_pong = due, False
    times._silent("sid", due)
    assert ended == []
    connection.awaits_pong = True
    times._silent("sid", due)
    assert ended == [Close.SILENT]
    times.close()
