"""What tells a retry from another request under the same id."""

import hashlib
from typing import Any

import orjson


def digest_of(key: bytes, *request: Any) -> bytes:
    """Return what is equal for equal requests.

    Keyed, so that what is kept of it says nothing about a text once that is deleted.
    """
    encoded = orjson.dumps(request, option=orjson.OPT_SORT_KEYS)
    return hashlib.blake2b(encoded, key=key, digest_size=16).digest()
