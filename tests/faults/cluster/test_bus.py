"""The bus is a hint: Redis fails under load, and nobody misses anything (promises 4, 11, 22)."""

import signal

import pytest

from tests.clients import Client
from tests.faults.cluster.load import Load
from tests.faults.cluster.nodes import Cluster
from tests.faults.measures import tell
from tests.faults.room import Room
from tests.redis_server import RedisServer

pytestmark = [
    pytest.mark.mongo,
    pytest.mark.redis,
    pytest.mark.slow,
    pytest.mark.timeout(180),
]

GARBAGE = (b"", b"5", b'"method"', b"null", b"\xff\xfe\x00", b"00000000.1", b"~[]", b"[" * 9_999)


async def test_a_subscriber_that_is_killed_misses_nothing(
    room: Room, cluster: Cluster, redis: RedisServer
) -> None:
    load = Load(room, cluster)
    await load.begin()
    for _ in range(5):
        with redis.client() as client:
            client.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
        await load.goes_on()
    await load.end("subscribers killed five times")


@pytest.mark.parametrize("acked", [150, 600])
async def test_while_redis_is_down_sends_are_stored_and_acked(
    room: Room, cluster: Cluster, redis: RedisServer, acked: int
) -> None:
    load = Load(room, cluster)
    await load.begin(at_once=25)
    redis.kill()
    tell(f"down while {acked} were acked: {await load.goes_on(acked):.1f} s")
    redis.start()
    await load.goes_on()
    await load.end("Redis down and started again, empty")


async def test_while_redis_stands_still_sends_are_stored_and_acked(
    room: Room, cluster: Cluster, redis: RedisServer
) -> None:
    load = Load(room, cluster)
    await load.begin(at_once=25)
    redis.signal(signal.SIGSTOP)
    try:
        tell(f"paused while 600 were acked: {await load.goes_on(600):.1f} s")
    finally:
        redis.signal(signal.SIGCONT)
    await load.goes_on()
    await load.end("Redis paused")


async def test_what_no_node_wrote_harms_nobody(
    room: Room, cluster: Cluster, redis: RedisServer
) -> None:
    """On every channel that any node listens on."""
    load = Load(room, cluster)
    await load.begin()
    with redis.client() as client:
        channels = client.pubsub_channels()
        assert any(room.room_id in channel for channel in channels)
        for payload in GARBAGE:
            for channel in channels:
                assert client.publish(channel, payload)
            await load.goes_on(50)
    await load.end(f"{len(GARBAGE)} kinds of garbage on {len(channels)} channels")


async def test_a_node_without_members_hears_nothing_of_a_room(
    room: Room, cluster: Cluster, redis: RedisServer
) -> None:
    """Members are on two of three nodes: Redis has two who listen, and then one."""
    second = cluster.nodes[1]
    client = Client()
    room.clients.append(client)
    await client.connect(second.url, second.token("far"))
    await client.ready()
    await client.call("join_room", room_id=room.room_id)
    with redis.client() as asking:
        (channel,) = [name for name in asking.pubsub_channels() if room.room_id in name]
        assert asking.pubsub_numsub(channel) == [(channel, 2)]
        sent = [await client.say(room.room_id, f"tea {n}") for n in range(100)]
        await room.reader.hears(sent[-1]["seq"])
        assert asking.pubsub_numsub(channel) == [(channel, 2)]
    assert len(room.reader.of("chat")) == len(sent)
