"""A bus in Redis goes on, whatever happens to Redis."""

import asyncio
import logging
import signal
from typing import Any

import pytest

from parley.storage.redis.bus import RedisBus
from parley.storage.redis.database import RedisDatabase
from tests.redis_server import RedisCluster, RedisServer, Watched
from tests.storage.redis.buses import Calls, Inbox, opened_bus
from tests.storage.redis.conftest import Buses
from tests.until import until

pytestmark = pytest.mark.redis

HINTS = [b"%d" % number for number in range(100)]


class Listening:
    """A node that listens to many channels, and one that speaks on them."""

    def __init__(self, buses: Buses) -> None:
        self.bus, self.other = buses
        self.inboxes = {f"room:{number}": Inbox() for number in range(50)}
        self.reconnected = [Calls(bus.on_reconnect) for bus in buses]

    async def begin(self) -> None:
        """Subscribe to all of them, and hear something on each."""
        await asyncio.gather(*(self.bus.subscribe(c, i) for c, i in self.inboxes.items()))
        await self.hears(b"begin")

    async def healed(self) -> None:
        """Wait until both nodes are back."""
        for calls in self.reconnected:
            await calls.more()
        await until(lambda: not self.bus.deaf and not self.other.deaf)

    async def hears(self, *hints: bytes) -> None:
        """Publish on every channel; each hears all that, in order, and nothing else."""
        for hint in (b"first", *hints):
            for channel in self.inboxes:
                self.other.publish(channel, hint)
        for inbox in self.inboxes.values():
            heard = await inbox.until(hints[-1])
            assert heard[heard.index(b"first") :] == [b"first", *hints]
            inbox.heard.clear()


@pytest.fixture
async def listening(buses: Buses) -> Listening:
    listening = Listening(buses)
    await listening.begin()
    return listening


async def test_connections_are_killed(server: RedisServer, listening: Listening) -> None:
    assert server.client().client_kill_filter(_type="pubsub") == 2
    await listening.healed()
    await listening.hears(*HINTS)


async def test_the_server_is_restarted(server: RedisServer, listening: Listening) -> None:
    server.kill()
    await until(lambda: listening.bus.deaf)
    server.start()
    await listening.healed()
    await listening.hears(*HINTS)


async def test_a_short_pause_loses_nothing(server: RedisServer, listening: Listening) -> None:
    """What is published meanwhile waits in the sockets."""
    for inbox in listening.inboxes.values():
        inbox.heard.clear()
    server.signal(signal.SIGSTOP)
    for hint in HINTS:
        for channel in listening.inboxes:
            listening.other.publish(channel, hint)
        await asyncio.sleep(0.02)  # the pause is 2 s long, and hints come all the time
    server.signal(signal.SIGCONT)
    for inbox in listening.inboxes.values():
        assert await inbox.until(HINTS[-1]) == HINTS
    assert [calls.count for calls in listening.reconnected] == [0, 0]


async def test_a_server_that_stands_still_is_noticed(
    server: RedisServer, listening: Listening
) -> None:
    """Nothing ends its connections; a node that hears nothing any more knows it."""
    server.signal(signal.SIGSTOP)
    await until(lambda: listening.bus.deaf and listening.other.deaf)
    async with asyncio.timeout(1):  # nobody waits for a Redis that is away
        await listening.bus.subscribe("room:50", Inbox())
    server.signal(signal.SIGCONT)
    await listening.healed()
    await listening.hears(*HINTS)


async def test_redis_is_away_at_the_start(caplog: pytest.LogCaptureFixture) -> None:
    """A node begins without it, tells its own listeners, and is complete when Redis comes."""
    server = RedisServer()
    server.kill()
    inbox = Inbox()
    async with RedisDatabase.open(server.url) as database, RedisBus.open(database) as bus:
        reconnected = Calls(bus.on_reconnect)
        assert is_deaf(bus)
        await bus.subscribe("room", inbox)
        bus.publish("room", b"here")
        await inbox.until(b"here")
        server.start()
        await reconnected.more()
        assert not is_deaf(bus)
        async with opened_bus(server.url) as other:
            other.publish("room", b"there")
            assert await inbox.until(b"there") == [b"here", b"there"]
    server.close()
    assert [record.levelname for record in caplog.records].count("WARNING") == 1


async def test_an_error_that_nobody_thought_of_is_logged_and_passes(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    errors = [RuntimeError("odd")]

    async def refresh() -> None:
        if errors:
            raise errors.pop()

    async with RedisDatabase.open(server.url) as database:
        monkeypatch.setattr(database.servers, "refresh", refresh)
        async with RedisBus.open(database) as bus:
            await until(lambda: not bus.deaf)
    assert caplog.text.count("odd") == 1


def is_deaf(bus: RedisBus) -> bool:
    return bus.deaf


async def test_hints_that_wait_are_bounded(
    server: RedisServer, listening: Listening, caplog: pytest.LogCaptureFixture
) -> None:
    """Of those that there is no room for one line is logged."""
    server.kill()
    await until(lambda: listening.other.deaf)
    with caplog.at_level(logging.WARNING):
        for number in range(20_000):
            listening.other.publish("room:0", b"%d" % number)
    assert caplog.text.count("more hints wait") == 1
    server.start()
    await listening.healed()
    await listening.hears(b"end")


async def test_a_sentinel_makes_another_server_the_master(watched: Watched) -> None:
    async with opened_bus(watched.url) as bus, opened_bus(watched.url) as other:
        listening = Listening((bus, other))
        await listening.begin()
        watched.master.kill()
        await listening.healed()
        await listening.hears(*HINTS)
        assert watched.replica.client().info()["role"] == "master"


async def test_a_master_of_a_cluster_dies(cluster: RedisCluster) -> None:
    """Its replica takes over, and the channels go there."""
    async with opened_bus(cluster.url) as bus, opened_bus(cluster.url) as other:
        listening = Listening((bus, other))
        await listening.begin()
        cluster.masters[0].kill()
        await until(lambda: bus.deaf and other.deaf)
        await until(lambda: not bus.deaf and not other.deaf)
        assert cluster.replica.client().info()["role"] == "master"
        await listening.hears(*HINTS)


async def test_slots_of_a_cluster_move(cluster: RedisCluster) -> None:
    """A channel is heard where it went, and who listens looks at storage for what it missed."""
    async with opened_bus(cluster.url) as bus, opened_bus(cluster.url) as other:
        listening = Listening((bus, other))
        await listening.begin()
        first, second, _ = cluster.masters
        channels = heard_at(first)
        assert channels
        for channel in channels:
            cluster.move(int(first.ask("KEYSLOT", channel)), first, second)
        while not heard_at(second).issuperset(channels):
            await listening.reconnected[0].more()  # of some of them, where it was asked in between
        for channel, inbox in listening.inboxes.items():
            while b"probe" not in inbox.heard:
                other.publish(channel, b"probe")  # who publishes learns by that where it has gone
                await asyncio.sleep(0.01)
        await listening.hears(*HINTS)
        # What lives elsewhere by now is not asked for any more, and the others are heard once.
        assert not heard_at(first)
        assert sum(len(heard_at(master)) for master in cluster.masters) == len(listening.inboxes)


def heard_at(server: RedisServer) -> set[str]:
    """Return the sharded channels that somebody has subscribed to."""
    found: list[Any] = server.client().pubsub_shardchannels("parley:bus:*")
    return set(found)


async def test_nothing_is_left_behind(server: RedisServer) -> None:
    """One connection serves all channels of a node; at the end there is none, and no task."""
    before = asyncio.all_tasks()
    client = server.client()
    async with opened_bus(server.url) as bus:
        subscriptions = [await bus.subscribe(f"room:{n}", Inbox()) for n in range(100)]
        client.client_kill_filter(_type="pubsub")
        await Calls(bus.on_reconnect).more()
        assert len(client.client_list(_type="pubsub")) == 1
        for subscription in subscriptions:
            await subscription.cancel()
        await until(lambda: not client.pubsub_channels("parley:bus:*"))
    await until(lambda: not client.client_list(_type="pubsub"))
    assert asyncio.all_tasks() == before
