"""Live sockets of every node, in Redis.

A node writes only what is its own, and all of it ends by itself: what was lost, or left behind
by a node that died, is right again after a lease at most.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from parley.storage.memory.connections import LEASE
from parley.storage.models import Timestamp, UserId
from parley.storage.presence import Connection
from parley.storage.redis.database import RedisDatabase
from parley.storage.redis.scripts import Call, Script, answers, clock, pipeline_of

ONLINE = "online_users"  # each with the end of her last lease
AT_ONCE = 100  # connections, or users, in one go: each is several commands

_KEEP = Script("keep_until.lua")
_REMOVE = Script("remove_until.lua")


class RedisConnectionRegistry:
    """See `ConnectionRegistry`. Leases end by the clock of Redis."""

    def __init__(
        self,
        database: RedisDatabase,
        *,
        lease: float = LEASE,
        now: Callable[[], int] | None = None,
    ) -> None:
        """Let an entry live ``lease`` seconds after each renewal.

        Args:
            now: Microseconds; None: the clock of Redis.
        """
        self._database = database
        self._lease_us = round(lease * 1_000_000)
        self._clock = now

    async def register(self, connection: Connection) -> None:
        """See `ConnectionRegistry`."""
        await self.renew([connection])

    async def renew(self, connections: Collection[Connection]) -> None:
        """See `ConnectionRegistry`."""
        rest = list(connections)
        while rest:
            part, rest = rest[:AT_ONCE], rest[AT_ONCE:]
            now = await self._now()
            until, keep_ms = now + self._lease_us, self._lease_us // 1_000
            times = [str(now), str(until), str(keep_ms)]
            kept = list[Call]()
            for each in part:
                other = _member(each, hears_chat=not each.hears_chat)
                of_node = _of_node(each.server_id, each.user_id)
                kept.append(([of_node], [*times, _member(each), other]))
                kept.append(([_of_user(each.user_id)], [*times, each.server_id, ""]))
            await _KEEP.run_each(self._database, kept)
            pipeline = self._pipeline()
            pipeline.zadd(ONLINE, {each.user_id: until for each in part}, gt=True)
            pipeline.zremrangebyscore(ONLINE, "-inf", now)
            pipeline.pexpire(ONLINE, keep_ms)
            await answers(pipeline)

    async def unregister(self, connection: Connection) -> None:
        """See `ConnectionRegistry`."""
        await self.unregister_all([connection])

    async def unregister_all(self, connections: Collection[Connection]) -> None:
        """See `ConnectionRegistry`."""
        rest = list(connections)
        while rest:
            part, rest = rest[:AT_ONCE], rest[AT_ONCE:]
            now = await self._now()
            pipeline = self._pipeline()
            for each in part:
                of_node = _of_node(each.server_id, each.user_id)
                pipeline.zrem(of_node, _member(each), _member(each, hears_chat=not each.hears_chat))
                pipeline.zcount(of_node, f"({now}", "+inf")
                pipeline.zrangebyscore(_of_user(each.user_id), f"({now}", "+inf", withscores=True)
            found = await answers(pipeline)
            gone = list[Call]()
            for each, others, nodes in zip(part, found[1::3], found[2::3], strict=True):
                until = {node.decode(): str(round(score)) for node, score in nodes}
                last = until.get(each.server_id)
                if others or last is None:
                    continue
                # Whoever has registered since then has a later lease, and stays.
                gone.append(([_of_user(each.user_id)], [each.server_id, last]))
                if len(until) == 1:
                    gone.append(([ONLINE], [each.user_id, last]))
            await _REMOVE.run_each(self._database, gone)

    async def of_user(self, user_id: UserId) -> Sequence[Connection]:
        """See `ConnectionRegistry`."""
        return (await self.of_users([user_id]))[user_id]

    async def online(self) -> Collection[UserId]:
        """See `ConnectionRegistry`."""
        now = await self._now()
        pipeline = self._pipeline()
        pipeline.zrangebyscore(ONLINE, f"({now}", "+inf")
        [found] = await answers(pipeline)
        return frozenset(UserId(each.decode()) for each in found)

    async def of_users(self, user_ids: Collection[UserId]) -> Mapping[UserId, Sequence[Connection]]:
        """See `ConnectionRegistry`."""
        found: dict[UserId, list[Connection]] = {user_id: [] for user_id in user_ids}
        rest = list(found)
        while rest:
            part, rest = rest[:AT_ONCE], rest[AT_ONCE:]
            now = await self._now()
            asked = self._pipeline()
            for user_id in part:
                asked.zrangebyscore(_of_user(user_id), f"({now}", "+inf")
            nodes = zip(part, await answers(asked), strict=True)
            keys = [(user_id, node.decode()) for user_id, its in nodes for node in its]
            asked = self._pipeline()
            for user_id, server_id in keys:
                asked.zrangebyscore(_of_node(server_id, user_id), f"({now}", "+inf")
            for (user_id, server_id), members in zip(keys, await answers(asked), strict=True):
                found[user_id] += [_connection(user_id, server_id, each) for each in members]
        return {
            user_id: sorted(its, key=lambda each: (each.connected_at, each.id))
            for user_id, its in found.items()
        }

    async def _now(self) -> int:
        return await clock(self._database) if self._clock is None else self._clock()

    def _pipeline(self) -> Any:
        return pipeline_of(self._database)


def _of_node(server_id: str, user_id: UserId) -> str:
    return f"connections:{server_id}:{user_id}"


def _of_user(user_id: UserId) -> str:
    return f"user_connections:{user_id}"


def _member(connection: Connection, *, hears_chat: bool | None = None) -> str:
    hears = connection.hears_chat if hears_chat is None else hears_chat
    return f"{connection.id} {connection.connected_at} {int(hears)}"


def _connection(user_id: UserId, server_id: str, member: bytes) -> Connection:
    id, connected_at, hears_chat = member.decode().split()
    return Connection(
        id=id,
        user_id=user_id,
        server_id=server_id,
        connected_at=Timestamp(int(connected_at)),
        hears_chat=hears_chat == "1",
    )
