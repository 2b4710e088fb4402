"""Fixtures of the conformance tests: the two applications, in this process."""

import logging
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.conformance.server import engine, sockets
from tests.engines import CALM, House


@pytest.fixture(autouse=True)
def nothing_goes_wrong(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Fail a test in which anything was logged as an error; `caplog.clear` forgives it."""
    yield
    wrong = [r for r in caplog.get_records("call") if r.levelno >= logging.ERROR]
    assert [record.getMessage() for record in wrong] == []


@pytest.fixture
async def echo() -> AsyncIterator[House]:
    """Return an Engine.IO server that says what it hears."""
    async with House.open(engine(**CALM)) as house:
        yield house


@pytest.fixture
async def house() -> AsyncIterator[House]:
    """Return a Socket.IO server with the namespaces ``/`` and ``/custom``."""
    async with House.open(sockets(**CALM)) as house:
        yield house
