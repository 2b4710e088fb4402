"""What nodes of one cluster are started with."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from parley.server.settings import Settings
from tests import mongod, redis_server


@pytest.fixture
def cluster_settings(tmp_path: Path) -> Iterator[Settings]:
    """Return the settings of a node on a database of the test's own, which is dropped after it."""
    settings = Settings(
        port=0,
        data_dir=tmp_path / "data",
        mongodb_url=mongod.url(),
        mongodb_database=f"{mongod.DATABASE}{time.time_ns()}",
        redis_url=redis_server.url(),
        cluster_key="k" * 32,
    )
    yield settings
    with mongod.client() as client:
        client.drop_database(settings.mongodb_database)
