"""Presence converges when a node is killed, stands still, or is cut from Redis (promise 13)."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import AsyncIterator, Generator

import pytest

from parley.storage.memory.presence import LEASE_S
from tests.clients import ChatClient, Client
from tests.e2e.presence import Observer, People
from tests.faults.cluster.nodes import Cluster
from tests.faults.measures import tell
from tests.servers import ServerProcess

pytestmark = [
    pytest.mark.mongo,
    pytest.mark.redis,
    pytest.mark.slow,
    pytest.mark.timeout(180),
]

LATEST_S = 4 * LEASE_S  # on a busy machine; one that is never told of fails all the same


class House:
    """Ann on the first node, and Bob on each of the others, who follows her."""

    def __init__(self, cluster: Cluster, people: People) -> None:
        self.cluster = cluster
        self.people = people
        self.clients: list[ChatClient] = []
        self.observers: list[Observer] = []

    async def come(self, user_id: str, node: ServerProcess) -> ChatClient:
        """Connect somebody."""
        client = await Client(namespace="/presence").connect(node.url, node.token(user_id))
        self.clients.append(client)
        return client

    async def begin(self) -> ChatClient:
        """Return Ann's client, whom all see."""
        ann = await self.come(self.people.ann, self.cluster.nodes[0])
        for node in self.cluster.nodes[1:]:
            observer = Observer(await self.come(self.people.bob, node))
            self.observers.append(observer)
            await observer.follows(self.people.ann)
            if (await observer.sees(self.people.ann))["status"] != "online":
                await observer.hears("user_online", self.people.ann)
        return ann

    async def all_hear(self, name: str, *, after: int = 0) -> float:
        """Return the seconds until all have heard something of Ann."""
        began = time.monotonic()
        async with asyncio.timeout(LATEST_S):
            for observer in self.observers:
                heard = False
                while not heard:
                    with contextlib.suppress(TimeoutError):
                        await observer.hears(name, self.people.ann, after)
                        heard = True
        return time.monotonic() - began

    def goings(self) -> list[int]:
        """Return how often each has heard that Ann has gone."""
        return [
            observer.heard(self.people.ann).count("user_offline") for observer in self.observers
        ]


@pytest.fixture
async def house(cluster: Cluster) -> AsyncIterator[House]:
    house = House(cluster, await People.meet(cluster.nodes[0]))
    yield house
    for client in house.clients:
        await client.close()


async def test_users_of_a_killed_node_go_offline_once(house: House) -> None:
    await house.begin()
    await house.cluster.nodes[0].kill()
    tell(f"offline {await house.all_hear('user_offline'):.1f} s after the kill, lease {LEASE_S} s")
    # Each is asked once more: what was on its way is there by the answer.
    for observer in house.observers:
        assert (await observer.sees(house.people.ann))["status"] == "offline"
    assert house.goings() == [1, 1]


async def test_who_comes_back_on_another_node_was_never_away(house: House) -> None:
    await house.begin()
    await house.cluster.nodes[0].kill()
    await house.come(house.people.ann, house.cluster.nodes[1])
    # The dead node's lease ends: that is the moment at which somebody might be told.
    dora = await house.come("dora", house.cluster.nodes[2])
    with house.cluster.redis.client() as redis:
        ended = len(redis.zrange("nodes", 0, -1))
        async with asyncio.timeout(LATEST_S):
            while ended == len(house.cluster.nodes):
                await asyncio.sleep(0.1)
                ended = len(redis.zrange("nodes", 0, -1))
    await dora.call("get", user_ids=["dora"])
    for observer in house.observers:
        assert (await observer.sees(house.people.ann))["status"] == "online"
    assert house.goings() == [0, 0]


async def test_users_of_a_node_that_stood_still_come_back_once(house: House) -> None:
    await house.begin()
    still = house.cluster.nodes[0]
    marks = [len(observer.io.events) for observer in house.observers]
    with _standing_still(still):
        tell(f"offline {await house.all_hear('user_offline'):.1f} s after it stood still")
    tell(f"online {await house.all_hear('user_online', after=max(marks)):.1f} s after it went on")
    assert house.goings() == [1, 1]


async def test_a_redis_that_is_away_takes_nobody_offline(house: House) -> None:
    ann = await house.begin()
    redis = house.cluster.redis
    redis.kill()
    await ann.ack("get", {"user_ids": [house.people.ann]})  # answered, whatever it says
    redis.start()
    async with asyncio.timeout(LATEST_S):
        for observer in house.observers:
            while True:
                ack = await observer.io.ack("get", {"user_ids": [house.people.ann]})
                if ack["ok"] and ack["data"]["users"][0]["status"] == "online":
                    break
                await asyncio.sleep(0.1)
    assert house.goings() == [0, 0]


@contextlib.contextmanager
def _standing_still(node: ServerProcess) -> Generator[None]:
    os.kill(node.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(node.pid, signal.SIGCONT)
