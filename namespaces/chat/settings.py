"""The settings of a room, defaults filled in."""

from collections.abc import Mapping
from typing import Any

from parley.storage.models import Room

RETENTION_DAYS = (7, 3_650)  # retries are known again for 7 days, so nothing goes earlier
# The most that ``max_members`` may be: deleting a room removes all its memberships in one
# transaction, and on MongoDB that has two seconds, in which 50,000 did not fit.
MAX_MEMBERS = 10_000

DEFAULTS: Mapping[str, Any] = {
    "max_members": 1_000,
    "allowed_types": ["text", "image", "file"],
    "mute_all": False,
    "require_approval": False,
}
"""What a room has until it is changed; ``is_private`` depends on its type."""


def settings_of(room: Room) -> dict[str, Any]:
    """Return every setting of a room; ``retention_days`` only where it has one."""
    settings = {"is_private": room.is_private, **DEFAULTS, **room.settings}
    if not settings.get("retention_days"):
        settings.pop("retention_days", None)
    return settings


def setting(room: Room, name: str) -> Any:
    """Return one setting of `DEFAULTS`; asked for every message, so no more than that."""
    return room.settings.get(name, DEFAULTS[name])
