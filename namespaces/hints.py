"""Hints on the bus that one domain gives and another one reads.

They are what every hint is: perhaps lost, and never the truth (see `storage.expiring.Bus`). Who
can write to the bus can forge them, so that one costs no more than a look at storage; what no node
can have written is read as None, or as nobody.
"""

import re
from collections.abc import Collection, Iterator

from parley.storage.models import RoomId, UserId

MEMBERSHIPS = "memberships"
"""The channel of all changes of memberships."""

USERS_A_HINT = 500

_IDS = re.compile(rb"[A-Za-z0-9._@-]{1,64}(?: [A-Za-z0-9._@-]{1,64}){0,%d}" % USERS_A_HINT)
_POSITION = re.compile(rb"[0-9]{1,16}")


def moved(room_id: RoomId, user_ids: Collection[UserId]) -> Iterator[bytes]:
    """Yield the hints that these users stand otherwise with a room than before."""
    for named in named_users(user_ids):
        yield f"{room_id} ".encode() + named


def read_moved(payload: bytes) -> tuple[RoomId, list[UserId]] | None:
    """Return the room and the users that a hint is about."""
    if (ids := _read_ids(payload)) is None:
        return None
    return RoomId(ids[0]), [UserId(user_id) for user_id in ids[1:]]


def named_users(user_ids: Collection[UserId]) -> Iterator[bytes]:
    """Yield hints that name users, all of them together."""
    ids = list(user_ids)
    for begin in range(0, len(ids), USERS_A_HINT):
        yield " ".join(ids[begin : begin + USERS_A_HINT]).encode()


def read_users(payload: bytes) -> list[UserId]:
    """Return the users that a hint names."""
    return [UserId(user_id) for user_id in _read_ids(payload) or ()]


def read_position(payload: bytes) -> int | None:
    """Return the position of a log that a hint names."""
    return int(payload) if _POSITION.fullmatch(payload) else None


def _read_ids(payload: bytes) -> list[str] | None:
    return payload.decode().split(" ") if _IDS.fullmatch(payload) else None
