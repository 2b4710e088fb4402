"""A connection to Redis is tried again, however long Redis is away."""

from parley.storage.redis.link import pause_s


def test_after_hours_the_next_try_is_a_second_away() -> None:
    """A power that is too large for a float would end the tries after a quarter of an hour."""
    assert 0.5 <= pause_s(100_000) <= 1.0
