"""Scalars as they look on the wire."""

from datetime import UTC, datetime

from parley.storage.models import Timestamp


def timestamp(at: Timestamp) -> str:
    """Return RFC 3339 in UTC with three decimals and ``Z``."""
    seconds, millis = divmod(at, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{millis:03d}Z"
