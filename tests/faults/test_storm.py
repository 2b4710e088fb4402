"""A reconnect storm is survived by those who come, and by those who are there (promise 14)."""

import pytest

from tests.faults.storm import Storm
from tests.servers import ServerProcess

CLIENTS = 1_000


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_a_thousand_who_come_back_at_once(server: ServerProcess) -> None:
    """All are in again and have missed nothing of what was said meanwhile; the others chat on."""
    async with Storm.gathering(CLIENTS, at=server, beside=(server, server)) as storm:
        await storm.breaks("storm")
