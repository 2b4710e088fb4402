"""Hints on the bus that one domain gives and another one reads.

They are what every hint is: perhaps lost, and never the truth (see `storage.expiring.Bus`).
"""

from collections.abc import Collection, Iterator

from parley.storage.models import RoomId, UserId

MEMBERSHIPS = "memberships"
"""The channel of all changes of memberships."""

USERS_A_HINT = 500


def moved(room_id: RoomId, user_ids: Collection[UserId]) -> Iterator[bytes]:
    """Yield the hints that these users stand otherwise with a room than before."""
    for named in named_users(user_ids):
        yield f"{room_id} ".encode() + named


def read_moved(payload: bytes) -> tuple[RoomId, list[UserId]]:
    """Return the room and the users that a hint is about."""
    room_id, *user_ids = payload.decode().split()
    return RoomId(room_id), [UserId(user_id) for user_id in user_ids]


def named_users(user_ids: Collection[UserId]) -> Iterator[bytes]:
    """Yield hints that name users, all of them together."""
    ids = list(user_ids)
    for begin in range(0, len(ids), USERS_A_HINT):
        yield " ".join(ids[begin : begin + USERS_A_HINT]).encode()


def read_users(payload: bytes) -> list[UserId]:
    """Return the users that a hint names."""
    return [UserId(user_id) for user_id in payload.decode().split()]
