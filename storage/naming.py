"""What a room is found by in the list of rooms, the same in every storage."""

import unicodedata

from parley.storage.models import Room, RoomType


def name_key(name: str) -> str:
    """Return what names that differ in case or in the form of their characters share."""
    # Folding may take a composed character apart, so it is composed again.
    folded = unicodedata.normalize("NFKC", name).casefold()
    return unicodedata.normalize("NFKC", folded)


def is_listed(room: Room) -> bool:
    """Whether everybody may find it."""
    return room.type is RoomType.PUBLIC and not room.is_private and not room.deleted
