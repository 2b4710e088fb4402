"""Which nodes live, in Redis, and what all of them are nodes of."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from parley.storage.errors import RedisInUse
from parley.storage.redis.database import RedisDatabase
from parley.storage.redis.scripts import answers, clock, pipeline_of

LEASE_S = 15.0
LOOK_S = 0.25  # between two looks at whether another node still renews
# All of these end with the lease of the last node: then the Redis is free for another store.
NODES, STORE, KEY, PLACE = "nodes", "store_id", "key_fingerprint", "store_place"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Node:
    server_id: str
    store_id: str
    fingerprint: str
    place: str | None


class RedisNodes:
    """See `NodeRegistry`."""

    def __init__(self, database: RedisDatabase, *, lease_s: float = LEASE_S) -> None:
        """Let a node live ``lease_s`` seconds after each renewal, by the clock of Redis."""
        self._database = database
        self._lease_ms = round(lease_s * 1_000)
        self._node: _Node | None = None

    async def join(
        self, server_id: str, *, store_id: str, fingerprint: str, place: str | None
    ) -> None:
        """See `NodeRegistry`.

        Where another place is known, it takes as long as it needs to see whether that lives.
        """
        node = self._node = _Node(
            server_id=server_id, store_id=store_id, fingerprint=fingerprint, place=place
        )
        await self._agree_on_all(node)
        if node.place is not None:
            await self._until_alone(node.place)
        await self.renew()

    async def renew(self) -> None:
        """See `NodeRegistry`."""
        node = self._node
        if node is None:
            return
        await self._agree_on_all(node)
        if node.place is not None:
            await self._agree(PLACE, node.place, _OTHER_PLACE)
        now = await clock(self._database)
        pipeline = pipeline_of(self._database)
        pipeline.zadd(NODES, {node.server_id: now + self._lease_ms * 1_000})
        pipeline.zremrangebyscore(NODES, "-inf", now)
        pipeline.pexpire(NODES, self._lease_ms)
        await answers(pipeline)

    async def leave(self) -> None:
        """See `NodeRegistry`."""
        node, self._node = self._node, None
        if node is None:
            return
        pipeline = pipeline_of(self._database)
        pipeline.zrem(NODES, node.server_id)
        pipeline.get(PLACE)
        _, place = await answers(pipeline)
        if node.place is not None and place == node.place.encode():
            pipeline = pipeline_of(self._database)
            pipeline.delete(PLACE)
            await answers(pipeline)

    async def others(self) -> Mapping[str, int]:
        """See `NodeRegistry`."""
        now = await clock(self._database)
        pipeline = pipeline_of(self._database)
        pipeline.zrangebyscore(NODES, f"({now}", "+inf", withscores=True)
        [found] = await answers(pipeline)
        ends = {id.decode(): int(end) for id, end in found}
        if self._node is not None:
            ends.pop(self._node.server_id, None)
        return ends

    async def _agree_on_all(self, node: _Node) -> None:
        """See that other nodes have what all must have."""
        await self._agree(STORE, node.store_id, _OTHER_STORE)
        # One that is alone with its store needs to be understood by nobody, and may come back
        # with another key at once.
        if node.place is None:
            await self._agree(KEY, node.fingerprint, _OTHER_KEY)

    async def _agree(self, key: str, value: str, otherwise: str) -> None:
        """Let a key hold a value for a lease, or see that it holds another one."""
        pipeline = pipeline_of(self._database)
        pipeline.set(key, value, nx=True, px=self._lease_ms)
        pipeline.get(key)
        _, found = await answers(pipeline)
        if found is not None and found != value.encode():
            raise RedisInUse(otherwise.format(found=found.decode(), own=value))
        pipeline = pipeline_of(self._database)
        pipeline.pexpire(key, self._lease_ms)
        await answers(pipeline)

    async def _until_alone(self, place: str) -> None:
        """Return when nobody else has the store; one that renews meanwhile lives."""
        least = self._lease_ms
        while True:
            pipeline = pipeline_of(self._database)
            pipeline.get(PLACE)
            pipeline.pttl(PLACE)
            found, left_ms = await answers(pipeline)
            if found is None or found == place.encode():
                return
            if left_ms > least:
                raise RedisInUse(_OTHER_PLACE.format(found=found.decode(), own=place))
            least = left_ms
            await asyncio.sleep(LOOK_S)


_OTHER_STORE = (
    "REDIS_URL: nodes with another database live in this Redis (theirs is {found}, this one is "
    "{own}): give all nodes one MONGODB_URL, or this one a Redis of its own"
)
_OTHER_KEY = (
    "PARLEY_CLUSTER_KEY: nodes with another key live in this Redis (its fingerprint is {found}, "
    "that of this one {own}): give all nodes the same key; to change it, stop all of them first"
)
_OTHER_PLACE = (
    "REDIS_URL: another node with a copy of this database lives in this Redis, at {found}: "
    "without MONGODB_URL there is one node only"
)
