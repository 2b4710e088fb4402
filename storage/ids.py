"""Ids that sort by the time they were made, in MongoDB's ObjectId layout."""

import hashlib
import itertools
import secrets
import time

from parley.storage.models import RoomId, UserId

_PROCESS = secrets.token_hex(5)
_counter = itertools.count(secrets.randbelow(1 << 23))


def new_id() -> str:
    """Return 24 hex: seconds, this process's random bytes, a counter.

    Rising ids keep SQLite's and MongoDB's indexes appending at one end.
    """
    return f"{int(time.time()):08x}{_PROCESS}{next(_counter) & 0xFFFFFF:06x}"


def direct_room_id(one: UserId, other: UserId) -> RoomId:
    """Return the id of the room of two users, the same whoever asks.

    Each id is hashed with its length before it, so that no two pairs run together.
    """
    pair = "".join(f"{len(user)}:{user}" for user in sorted((one, other)))
    return RoomId("d-" + hashlib.sha256(pair.encode()).hexdigest()[:32])
