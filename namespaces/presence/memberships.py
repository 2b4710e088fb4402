"""How often the memberships of users have changed, in case no hint told of it."""

from collections.abc import Collection, Mapping

from parley.namespaces.presence.seams import Rooms
from parley.storage.models import UserId


class Memberships:
    """Remembers the revisions of users' memberships. See `Rooms.revisions`."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms
        self._revisions: dict[UserId, int] = {}

    async def note(self, user_ids: Collection[UserId]) -> None:
        """Remember where users are; call before it is asked who may see them.

        Raises:
            StorageUnavailable: They are not remembered.
        """
        unknown = [user_id for user_id in user_ids if user_id not in self._revisions]
        if unknown:
            for user_id, revision in (await self._rooms.revisions(unknown)).items():
                # Somebody else may have noted her meanwhile, before she moved.
                self._revisions.setdefault(user_id, revision)

    async def moved(self, user_ids: Collection[UserId]) -> Mapping[UserId, int]:
        """Return whose memberships have changed since they were noted, and forget all others.

        Raises:
            StorageUnavailable: Nothing is known; asking again is safe.
        """
        self._revisions = {u: self._revisions[u] for u in user_ids if u in self._revisions}
        now = await self._rooms.revisions(list(self._revisions))
        return {u: revision for u, revision in now.items() if self._revisions[u] != revision}

    def settle(self, moved: Mapping[UserId, int]) -> None:
        """Take what `moved` returned as noted: what follows from it is done."""
        self._revisions.update(moved)
