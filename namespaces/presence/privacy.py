"""Who may see whose presence. The rule is in this file, whole, and nowhere else."""

from collections.abc import Collection

from parley.namespaces.presence.seams import Rooms
from parley.storage.models import RoomId, UserId


class Privacy:
    """People who share a room see one another, direct rooms included; and each sees herself.

    Everybody else looks as if she had never been here, whoever asks and however. What nobody but
    herself sees, because she is invisible, is not decided here: see `views`.
    """

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms

    async def seen_by(self, viewer: UserId, others: Collection[UserId]) -> Collection[UserId]:
        """Return those of ``others`` whom ``viewer`` may see."""
        strangers = [user_id for user_id in others if user_id != viewer]
        found = set(await self._rooms.sharing(viewer, strangers)) if strangers else set[UserId]()
        return found | {viewer} & set(others)

    async def all_seen_by(self, viewer: UserId) -> Collection[UserId]:
        """Return everybody whom ``viewer`` may see."""
        return {viewer, *await self._rooms.neighbours(viewer)}

    async def seers_of(self, user_id: UserId, viewers: Collection[UserId]) -> Collection[UserId]:
        """Return those of ``viewers`` who may see the user."""
        return await self.seen_by(user_id, viewers)  # a room is shared by both, or by neither

    async def seen_in(self, viewer: UserId, room_id: RoomId) -> Collection[UserId]:
        """Return whom ``viewer`` may see in a room: everybody, if she is in it herself.

        Raises:
            NotFound, Forbidden, Gone: She sees nobody there. See `Rooms.shown_to`.
        """
        return await self._rooms.shown_to(viewer, room_id)
