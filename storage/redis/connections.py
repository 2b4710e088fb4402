"""Live sockets of every node, in Redis.

A node writes only what is its own, and all of it ends by itself: what was lost, or left behind
by a node that died, is right again after a lease at most.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from parley.storage.memory.connections import LEASE
from parley.storage.models import Connection, Timestamp, UserId
from parley.storage.redis.database import RedisDatabase
from parley.storage.redis.scripts import Call, Script, answers, clock

ONLINE = "online_users"  # each with the end of her last lease
AT_ONCE = 100  # connections, or users, in one go: each is several commands

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
            pipeline = self._pipeline()
            for each in part:
                of_node, of_user = _of_node(each.server_id, each.user_id), _of_user(each.user_id)
                pipeline.zrem(of_node, _member(each, hears_chat=not each.hears_chat))
                pipeline.zadd(of_node, {_member(each): until})
                pipeline.zremrangebyscore(of_node, "-inf", now)
                pipeline.pexpire(of_node, keep_ms)
                pipeline.zadd(of_user, {each.server_id: until}, gt=True)
                pipeline.pexpire(of_user, keep_ms)
                pipeline.zadd(ONLINE, {each.user_id: until}, gt=True)
            pipeline.zremrangebyscore(ONLINE, "-inf", now)
            pipeline.pexpire(ONLINE, keep_ms)
            await answers(pipeline)

    async def unregister(self, connection: Connection) -> None:
        """See `ConnectionRegistry`."""
        server_id, user_id = connection.server_id, connection.user_id
        now = await self._now()
        pipeline = self._pipeline()
        both = (_member(connection, hears_chat=hears) for hears in (False, True))
        pipeline.zrem(_of_node(server_id, user_id), *both)
        pipeline.zcount(_of_node(server_id, user_id), f"({now}", "+inf")
        pipeline.zrangebyscore(_of_user(user_id), f"({now}", "+inf", withscores=True)
        _, others, nodes = await answers(pipeline)
        until = {node.decode(): round(score) for node, score in nodes}
        if others or server_id not in until:
            return
        # Whoever has registered since then has a later lease, and stays.
        gone = [_gone(_of_user(user_id), server_id, until[server_id])]
        if len(until) == 1:
            gone.append(_gone(ONLINE, user_id, until[server_id]))
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
        return self._database.commands.pipeline(transaction=False)


def _of_node(server_id: str, user_id: UserId) -> str:
    return f"connections:{server_id}:{user_id}"


def _of_user(user_id: UserId) -> str:
    return f"user_connections:{user_id}"


def _gone(key: str, member: str, until: int) -> Call:
    return [key], [member, str(until)]


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
