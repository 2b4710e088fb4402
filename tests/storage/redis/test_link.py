"""A connection to Redis is tried again, however long Redis is away; the log says where to look."""

import logging

import pytest

from parley.storage.redis.bus import RedisBus
from parley.storage.redis.database import RedisDatabase
from parley.storage.redis.link import pause_s
from tests.redis_server import RedisServer


def test_after_hours_the_next_try_is_a_second_away() -> None:
    """A power that is too large for a float would end the tries after a quarter of an hour."""
    assert 0.5 <= pause_s(100_000) <= 1.0


@pytest.mark.redis
@pytest.mark.parametrize(
    ("url", "where"),
    [
        ("redis://127.0.0.1:{port}/99", "look at user, password and database in REDIS_URL"),
        (
            "redis://nobody:wrong@127.0.0.1:{port}",
            "look at user, password and database in REDIS_URL",
        ),
        ("unix:///nowhere/redis.sock", "look at REDIS_URL"),
    ],
)
async def test_a_mistake_in_the_address_is_not_only_an_outage(
    server: RedisServer, caplog: pytest.LogCaptureFixture, url: str, where: str
) -> None:
    with caplog.at_level(logging.WARNING):
        async with (
            RedisDatabase.open(url.format(port=server.port)) as database,
            RedisBus.open(database) as bus,
        ):
            assert bus.deaf
    [warning] = [message for message in caplog.messages if "Redis is away" in message]
    assert warning.endswith(f"; {where}")
    assert "wrong" not in warning


@pytest.mark.redis
async def test_an_outage_sends_nobody_to_the_settings(
    server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.kill()
    async with RedisDatabase.open(server.url) as database, RedisBus.open(database):
        pass
    [warning] = [message for message in caplog.messages if "Redis is away" in message]
    assert "REDIS_URL" not in warning
