"""A WebSocket takes its connection away from aiohttp: with all that came, and nothing is left.

What it stands on is private to aiohttp; `parley.server.engine.websocket` names it.
"""

# pyright: reportPrivateUsage=false

import pytest

from tests.conformance.server import engine, sockets
from tests.engines import CALM, House
from tests.faults.wire import Wire, frame


async def test_what_comes_with_the_handshake_of_a_new_connection_is_its_first_input() -> None:
    """A client need not wait: its first frame may be in the same segment."""
    async with (
        House.open(sockets(**CALM)) as house,
        Wire.open(house.origin, early=frame(b"40")) as wire,
    ):
        # Without the CONNECT that was early this breaks the protocol, and ends with 1002.
        wire.send(frame(b'42["message",1]'))
        assert await wire.until(b'42["message-back",1]') is None


async def test_what_comes_with_the_handshake_of_an_upgrade_is_its_first_input() -> None:
    """It is the same for a client that goes on from long polling."""
    async with House.open(sockets(**CALM)) as house:
        sid = (await house.polling()).opened["sid"]
        async with Wire.open(house.origin, sid=sid, early=frame(b"2probe")) as wire:
            wire.send(frame(b"5") + frame(b"40"))  # without the probe it ends with 1002
            assert await wire.until(b"3probe") is None
            assert await wire.until(b"40{") is None


@pytest.mark.parametrize("kind", ["websocket", "upgrade"])
async def test_aiohttp_forgets_a_connection_that_was_taken_over(kind: str) -> None:
    """Neither its list of connections nor its timers know one that goes on without it."""
    async with House.open(engine(**CALM)) as house:
        await house.turn()
        (handler,) = house.connections  # kept alive: the client goes on with it
        link = await house.link(kind)
        await link.send("4hello")
        assert await link.receive() == "4hello"
        (connection,) = house.eio.sockets.values()
        assert connection.websocket is not None
        protocol = connection.websocket.transport.get_protocol()
        assert type(protocol).__module__.startswith("parley.")
        assert handler not in house.connections
        timer = handler._keepalive_handle
        assert timer is None or timer.cancelled()
