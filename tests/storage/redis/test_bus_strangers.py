"""Who can write to Redis can write to the bus: that ends nothing, and costs a look at most."""

# pyright: reportPrivateUsage=false

import logging
import random

import pytest

from parley.storage.redis import bus as bus_module
from tests.redis_server import RedisServer
from tests.storage.redis.buses import Inbox
from tests.storage.redis.conftest import Buses

pytestmark = pytest.mark.redis

SEED = 20_260


async def test_what_no_node_has_written_is_dropped(
    server: RedisServer, buses: Buses, caplog: pytest.LogCaptureFixture
) -> None:
    """Bytes of any kind and size, on a channel that a node listens to; the log has one line."""
    listening, publishing = buses
    inbox = Inbox()
    await listening.subscribe("room", inbox)
    chance = random.Random(SEED)
    garbage = [chance.randbytes(chance.randrange(200)).replace(b" ", b"") for _ in range(300)]
    garbage += [b"", b"5", b'{"method": "emit"}', b"x" * 1_000_000]
    garbage += [b"deadbeef " + b"x" * (bus_module.MAX_PAYLOAD + 1)]
    with caplog.at_level(logging.INFO):
        for payload in garbage:
            assert server.client().publish("parley:bus:room", payload) == 1
        publishing.publish("room", b"true")
        assert await inbox.until(b"true") == [b"true"]
    [record] = caplog.records
    assert len(record.getMessage()) < 300


async def test_a_strangers_song_does_not_make_a_node_hear(buses: Buses) -> None:
    """The channel is known to whoever asks Redis; what is sung there is not."""
    [link] = buses[0]._links.values()
    link._unheard = 2
    link._take([b"message", link._own, b"la la la"])
    assert link._unheard == 2
    link._take([b"message", link._own, link._song])
    assert link._unheard == 0


async def test_too_large_a_hint_stays_where_it_is(
    buses: Buses, caplog: pytest.LogCaptureFixture
) -> None:
    listening, publishing = buses
    here, there = Inbox(), Inbox()
    await publishing.subscribe("room", here)
    await listening.subscribe("room", there)
    large = b"x" * (bus_module.MAX_PAYLOAD + 1)
    publishing.publish("room", large)
    publishing.publish("room", b"small")
    assert await here.until(b"small") == [large, b"small"]
    assert await there.until(b"small") == [b"small"]
    assert "stays here" in caplog.text
