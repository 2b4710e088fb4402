"""A connection to Redis: one server, one behind Sentinels, or a cluster."""

import contextlib
from collections.abc import AsyncIterator, Generator
from typing import Any, Self

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from parley.storage.errors import StorageUnavailable

ANSWER_S = 1.0  # for a connection or an answer; who waits for a message waits for this


class RedisDatabase:
    """Commands to Redis, each tried once: what is not safe to repeat is not repeated."""

    def __init__(self, commands: Redis) -> None:
        self.commands = commands

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, url: str) -> AsyncIterator[Self]:
        """Connect when it is first needed, and let go in the end.

        Args:
            url: ``redis://``, ``rediss://`` or ``unix://``.
        """
        options: dict[str, Any] = {
            "socket_timeout": ANSWER_S,
            "socket_connect_timeout": ANSWER_S,
            "retry": Retry(NoBackoff(), 0),
        }
        commands = Redis.from_url(url, **options)
        try:
            yield cls(commands)
        finally:
            await commands.aclose()


@contextlib.contextmanager
def translated() -> Generator[None]:
    """Raise what Redis does as `StorageUnavailable`."""
    try:
        yield
    except (RedisError, OSError) as error:
        raise StorageUnavailable(f"Redis: {error}") from error
