"""What waits for a server is bounded."""

import logging

import pytest

from parley.storage.redis import outgoing
from parley.storage.redis.outgoing import Outgoing


def test_the_oldest_of_too_many_go(caplog: pytest.LogCaptureFixture) -> None:
    """The newest stay in their order; one line is logged for all that went."""
    waiting = Outgoing()
    with caplog.at_level(logging.WARNING):
        for number in range(outgoing.MAX_WAITING + 100):
            waiting.put(b"a", b"%d" % number)
    taken = waiting.take()
    assert len(caplog.records) == 1
    assert taken[0] == (b"a", b"100")
    assert len(taken) == outgoing.MAX_WAITING
    assert not waiting.take()


def test_large_ones_count_by_their_size() -> None:
    waiting = Outgoing()
    for number in range(1_000):
        waiting.put(b"a", b"%03d" % number + b"x" * 65_533)
    taken = waiting.take()
    assert sum(len(payload) for _, payload in taken) <= outgoing.MAX_BYTES
    assert taken[-1][1].startswith(b"999")
