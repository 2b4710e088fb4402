"""What presence in Redis adds: several nodes, a Redis that is away, and one that forgets."""

import asyncio
import contextlib
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any, cast

import pytest

from parley.storage.errors import StorageUnavailable
from parley.storage.models import Timestamp, UserId
from parley.storage.presence import Device
from parley.storage.redis import leases
from parley.storage.redis.database import RedisDatabase
from parley.storage.redis.presence import RedisPresenceStore
from tests.redis_databases import REDIS, empty, flush
from tests.redis_server import RedisServer
from tests.storage.drafts import ANN, BOB, EVE
from tests.storage.test_presence import GRACE_S, LEASE_S, NODE, OTHER, device

pytestmark = pytest.mark.redis

AT = Timestamp(1)
ANSWERED_S = 1.5  # how long a call takes at most, on a small machine, where Redis is away


class Clock:
    """What the clock of Redis says, in microseconds."""

    def __init__(self) -> None:
        self.now = 1_000_000

    def __call__(self) -> int:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += round(seconds * 1_000_000)


@pytest.fixture(params=REDIS)
async def redis(request: pytest.FixtureRequest) -> AsyncIterator[RedisDatabase]:
    async with empty(request.param) as database:
        yield database


@pytest.fixture
def own() -> Iterator[RedisServer]:
    """Return a server that the test may do anything to."""
    server = RedisServer()
    yield server
    server.close()


def store(redis: RedisDatabase, clock: Clock | None = None) -> RedisPresenceStore:
    return RedisPresenceStore(redis, lease_s=LEASE_S, now=clock)


def crowd(many: int, server_id: str = NODE) -> list[Device]:
    return [device(number, UserId(f"user-{number}"), server_id) for number in range(many)]


async def test_each_device_is_claimed_by_one_of_all(redis: RedisDatabase) -> None:
    """A node died with more people than go in one go; the others end them at the same time."""
    clock = Clock()
    people = crowd(1_200)
    await store(redis, clock).put(people, at=AT)
    clock.forward(LEASE_S)
    told = list[UserId]()

    async def claims() -> None:
        node, wait_s = store(redis, clock), 0.0
        while not wait_s:
            due = await node.claim(at=AT)
            told.extend(due.left)
            wait_s = due.wait_s

    await asyncio.gather(claims(), claims(), claims())
    assert sorted(told) == sorted(each.user_id for each in people)


async def test_a_node_that_is_started_again_does_not_keep_its_forerunner(
    redis: RedisDatabase,
) -> None:
    """Proxies know it by its name, which is the old one; who was there before is gone."""
    clock = Clock()
    await store(redis, clock).put([device(1)], at=AT)
    again = store(redis, clock)
    await again.put([device(2, BOB)], at=AT)
    clock.forward(LEASE_S / 2)
    assert await again.renew(NODE) is True
    clock.forward(LEASE_S / 2)
    assert set((await again.claim(at=AT)).left) == {ANN}
    assert set(await again.shown()) == {BOB}


async def test_who_comes_after_the_lease_is_not_put_into_it(redis: RedisDatabase) -> None:
    """The node stood still within a call: whoever ended its devices will not come again."""
    clock = Clock()
    node = store(redis, clock)
    users: Any = vars(node)["_users"]
    change = users.change

    async def stands_still(*said: Any) -> Any:
        clock.forward(LEASE_S)
        return await change(*said)

    users.change = stands_still
    with pytest.raises(StorageUnavailable, match="the lease is over"):
        await node.put([device(1)], at=AT)
    users.change = change
    assert (await store(redis, clock).get([ANN]))[ANN].devices == ()
    assert await node.renew(NODE) is False
    assert await node.put([device(1)], at=AT) == {ANN}


async def test_nothing_is_left_of_who_is_gone(redis: RedisDatabase) -> None:
    """Visits and reloads leave nothing behind but a clock."""
    clock = Clock()
    node = store(redis, clock)
    await node.put([device(0)], at=AT)
    for visit in range(1, 100):
        guest = device(10_000 + visit, UserId(f"user-{visit}"), OTHER)
        await node.put([guest], at=AT)
        await node.leave([guest, device(visit - 1)], grace_s=GRACE_S)
        await node.put([device(visit)], at=AT)
        clock.forward(GRACE_S)
        await node.claim(at=AT)
        await node.renew(NODE)
    client: Any = redis.commands
    held = await client.zrange("{presence}:held", 0, -1)
    assert [each.split()[1:] for each in held] == [[b"ann", device(99).id.encode()]]
    assert await client.zcard("{presence}:due") == 0
    await node.leave([device(99)], grace_s=GRACE_S)
    clock.forward(61)
    while not (await node.claim(at=AT)).wait_s:
        pass
    clock.forward(61)
    await node.hide(BOB, True, at=AT)  # anything: who is not shown is forgotten after a minute
    left = {key async for key in client.scan_iter("*")}
    assert left == {b"{presence}:clock", b"{presence}:born", b"{presence}:unshown"}
    assert await client.zrange("{presence}:unshown", 0, -1) == [b"bob"]


async def test_it_goes_by_the_clock_of_redis(redis: RedisDatabase) -> None:
    """Without a clock of the test's own: a grace of a moment, and then she is gone."""
    node = RedisPresenceStore(redis)
    await node.put([device(1)], at=AT)
    before = (await node.get([ANN]))[ANN].as_of
    assert abs(before / 1_000_000 - time.time()) < 60
    await node.leave([device(1)], grace_s=0.05)
    left, wait_s = set[UserId](), 0.0
    while not left:
        await asyncio.sleep(wait_s)
        due = await node.claim(at=AT)
        left, wait_s = set(due.left), due.wait_s
    assert left == {ANN}
    assert (await node.get([ANN]))[ANN].as_of > before


async def test_a_clock_that_is_set_back_changes_no_order(redis: RedisDatabase) -> None:
    """As after a failover to a machine that is slow: versions rise all the same."""
    clock = Clock()
    one, other = store(redis, clock), store(redis, clock)
    await one.put([device(1)], at=AT)
    seen = [(await one.get([ANN]))[ANN].as_of]
    await one.renew(NODE)
    clock.forward(-0.5)
    for node, status in ((other, "away"), (one, "busy"), (other, "online")):
        await node.put([device(1, status=status)], at=AT)
        seen.append((await other.get([ANN]))[ANN].as_of)
        seen.append((await one.get([ANN]))[ANN].as_of)
    assert seen == sorted(seen)
    assert len(set(seen[1::2])) == 3  # each change is above the one before


# A Redis that forgets


async def test_who_is_not_there_after_a_loss_is_not_taken_for_gone(redis: RedisDatabase) -> None:
    """Redis has lost everything: until all nodes have put theirs again nobody knows."""
    one, other = (RedisPresenceStore(redis, lease_s=0.5) for _ in range(2))
    await one.put([device(1)], at=AT)
    await other.put([device(2, BOB, OTHER)], at=AT)
    await flush(redis)
    assert await one.renew(NODE) is False
    with pytest.raises(StorageUnavailable, match="lost who is here"):
        await one.get([BOB])
    await one.put([device(1)], at=AT)
    assert (await one.get([ANN]))[ANN].is_shown
    with pytest.raises(StorageUnavailable):
        await one.get([ANN, BOB])
    with pytest.raises(StorageUnavailable):
        await one.shown()
    assert await other.renew(OTHER) is False
    await other.put([device(2, BOB, OTHER)], at=AT)
    assert {each.is_shown for each in (await one.get([ANN, BOB])).values()} == {True}
    # Whoever is not there after a while is gone.
    while True:
        with contextlib.suppress(StorageUnavailable):
            await one.get([ANN, UserId("eve")])
            break
    assert set(await one.shown()) == {ANN, BOB}


async def test_versions_go_on_after_a_loss(own: RedisServer) -> None:
    """A server that starts with nothing gives none that is lower than what was shown."""
    async with RedisDatabase.open(own.url) as redis:
        clock = Clock()
        clock.forward(1_000)
        node = store(redis, clock)
        await node.put([device(1)], at=AT)
        before = (await node.get([ANN]))[ANN].as_of
        own.kill()
        own.start()
        clock.forward(-500)
        with pytest.raises(StorageUnavailable):
            await node.get([BOB])  # the connection is gone, or what it knew
        await node.renew(NODE)
        await node.put([device(1)], at=AT)
        assert (await node.get([ANN]))[ANN].as_of > before


# A Redis that is away


@pytest.mark.parametrize("away", ["paused", "killed"])
async def test_a_redis_that_is_away_is_said_quickly(own: RedisServer, away: str) -> None:
    """Nothing hangs, and it goes on by itself as soon as Redis is back."""
    async with RedisDatabase.open(own.url) as redis:
        node = store(redis)
        await node.put([device(1)], at=AT)
        if away == "paused":
            own.signal(signal.SIGSTOP)
        else:
            own.kill()
        calls: list[Callable[[], Awaitable[object]]] = [
            lambda: node.put([device(2, BOB)], at=AT),
            lambda: node.leave([device(1)], grace_s=GRACE_S),
            lambda: node.hide(ANN, True, at=AT),
            lambda: node.renew(NODE),
            lambda: node.claim(at=AT),
            lambda: node.get([ANN]),
            node.shown,
        ]
        for call in calls:
            began = time.monotonic()
            with pytest.raises(StorageUnavailable):
                await call()
            assert time.monotonic() - began < ANSWERED_S
        if away == "paused":
            own.signal(signal.SIGCONT)
        else:
            own.start()
        await node.put([device(1), device(2, BOB)], at=AT)
        assert (await node.get([BOB]))[BOB].is_shown


async def test_a_lease_that_begins_anew_may_be_renewed_by_two_at_once(
    redis: RedisDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A node renews beside its steps, which renew as well."""
    node = store(redis, Clock())
    await node.put([device(1)], at=AT)
    monkeypatch.setattr(leases, "ANEW_S", -1.0)
    assert not any(await asyncio.gather(node.renew(NODE), node.renew(NODE)))
    await node.put([device(1)], at=AT)
    assert (await node.get([ANN]))[ANN].is_shown


async def test_leases_that_ended_while_redis_was_away_are_left_to_their_nodes(
    own: RedisServer,
) -> None:
    """All of them are over when it is back: who is first does not take the others for dead."""
    async with RedisDatabase.open(own.url) as redis:
        clock = Clock()
        one = RedisPresenceStore(redis, lease_s=LEASE_S, now=clock)
        other = RedisPresenceStore(redis, lease_s=LEASE_S, now=clock)
        await one.put([device(1)], at=AT)
        await other.put([device(2, BOB, OTHER)], at=AT)
        own.signal(signal.SIGSTOP)
        with pytest.raises(StorageUnavailable):
            await one.renew(NODE)
        own.signal(signal.SIGCONT)
        clock.forward(LEASE_S)
        assert await one.renew(NODE) is False
        await one.put([device(1)], at=AT)
        due = await one.claim(at=AT)
        assert (due.changed, due.left) == (frozenset(), frozenset())
        assert 0 < due.wait_s <= LEASE_S / 2
        assert await other.renew(OTHER) is False
        assert await other.put([device(2, BOB, OTHER)], at=AT) == set()


async def test_news_that_was_overtaken_changes_nothing(redis: RedisDatabase) -> None:
    """She hides on one node before another has noted that she came."""
    clock = Clock()
    one, other = store(redis, clock), store(redis, clock)
    books: Any = vars(one)["_leases"]
    settle, waiting = books.settle, list[Any]()

    async def later(news: Any) -> None:
        waiting.append(news)

    books.settle = later
    await one.put([device(1)], at=AT)
    await other.hide(ANN, True, at=AT)
    books.settle = settle
    for news in waiting:
        await books.settle(news)
    assert list(await one.shown()) == []


async def test_a_lease_begins_anew_so_that_what_a_failover_lost_is_mended(
    redis: RedisDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who came in the last second is missing, and who left then is here again."""
    clock, client = Clock(), cast("Any", redis.commands)
    node = store(redis, clock)
    ghost, left = device(2, BOB), device(3, EVE)
    await node.put([device(1), ghost, left], at=AT)
    await client.delete("user_status:ann")
    monkeypatch.setattr(leases, "ANEW_S", -1.0)
    await node.leave([left], grace_s=2 * LEASE_S)
    assert await node.renew(NODE) is False
    monkeypatch.undo()
    assert await node.put([device(1)], at=AT) == {ANN}  # what the node has, and no ghost
    for _ in range(2):
        clock.forward(LEASE_S - 1)
        assert await node.renew(NODE) is True
        assert (await node.claim(at=AT)).left == frozenset()
    clock.forward(2)
    assert await node.renew(NODE) is True
    assert set((await node.claim(at=AT)).left) == {BOB, EVE}
    assert set(await node.shown()) == {ANN}
