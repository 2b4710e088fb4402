"""Where a page of a list ends and goes on: the key of its last item, opaque to clients."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import orjson

from parley.namespaces.errors import Invalid

T = TypeVar("T")


def to_cursor(*key: str) -> str:
    """Return the ``next`` of a page whose last item has this key."""
    return urlsafe_b64encode(orjson.dumps(key)).rstrip(b"=").decode()


def from_cursor(cursor: str, length: int) -> list[str]:
    """Return the key that `to_cursor` was given, ``length`` strings.

    Raises:
        Invalid: The client made this one up, or it is of another list.
    """
    try:
        key = orjson.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except ValueError:
        key = None
    is_key = isinstance(key, list) and len(key) == length
    if not is_key or not all(isinstance(part, str) and "\0" not in part for part in key):
        raise Invalid.at("/cursor", "not a cursor of this list")
    return list(key)


def fitting(
    items: Sequence[T], size: int, to_wire: Callable[[T], Any], *, from_end: bool = False
) -> Sequence[T]:
    """Return as many items as fit into ``size`` bytes on the wire, without a gap; at least one."""
    kept: list[T] = []
    for item in reversed(items) if from_end else items:
        size -= len(orjson.dumps(to_wire(item)))
        if size < 0 and kept:
            break
        kept.append(item)
    return kept[::-1] if from_end else kept
