"""The rules of presence: what may be asked and said, whatever edge it comes in by."""

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

from parley.namespaces.presence.devices import Devices
from parley.namespaces.presence.followers import Followers
from parley.namespaces.presence.lists import RoomLists
from parley.namespaces.presence.privacy import Privacy
from parley.namespaces.presence.schemas import SetStatus, Unsubscribe
from parley.namespaces.presence.views import Sightings, View
from parley.namespaces.session import Session
from parley.storage.expiring import PresenceStore
from parley.storage.models import RoomId, UserId


class PresenceService:
    """Answers how people are, as far as who asks may see."""

    def __init__(
        self,
        *,
        store: PresenceStore,
        sightings: Sightings,
        privacy: Privacy,
        devices: Devices,
        followers: Followers,
        lists: RoomLists,
    ) -> None:
        self._store = store
        self._sightings = sightings
        self._privacy = privacy
        self._devices = devices
        self._followers = followers
        self._lists = lists

    async def set_status(self, session: Session, request: SetStatus) -> View:
        """Take what a device says of itself, and of its user; return her as she sees herself.

        Raises:
            StorageUnavailable: Some of it may hold; saying it again is safe.
        """
        user_id = session.user_id
        if request.invisible:
            # First, so that nothing else of this request is seen by others.
            await self._devices.set_invisible(user_id, True)
        await self._devices.report(
            session, status=request.status, name=request.device, location=request.location
        )
        if request.invisible is False:
            await self._devices.set_invisible(user_id, False)
        return (await self._sightings.read([user_id]))[user_id].own

    async def subscribe(self, session: Session, user_ids: Sequence[UserId]) -> Sequence[View]:
        """See `Followers.follow`."""
        return await self._followers.follow(session, user_ids)

    def unsubscribe(self, session: Session, request: Unsubscribe) -> None:
        """Let a socket follow users or a room no more."""
        if request.user_ids is not None:
            self._followers.unfollow(session, request.user_ids)
        if request.room_id is not None:
            self._lists.unfollow(session, request.room_id)

    async def get(self, viewer: UserId, user_ids: Sequence[UserId]) -> Sequence[View]:
        """Return how users are, as far as the viewer may see.

        Raises:
            StorageUnavailable: Asking again is safe.
        """
        found = await self._sightings.read(user_ids)
        while True:
            # Asked last, and again if somebody has moved meanwhile: her sockets may have been
            # told that she sees somebody no more, and would take this for what came after it.
            moves = self._followers.moves
            visible = await self._privacy.seen_by(viewer, user_ids)
            if moves == self._followers.moves:
                break
        return [found[user_id].seen_by(viewer, may_see=user_id in visible) for user_id in user_ids]

    async def room(self, session: Session, room_id: RoomId) -> dict[str, Any]:
        """See `RoomLists.follow`."""
        return await self._lists.follow(session, room_id)

    # Over HTTP

    async def online(
        self, viewer: UserId, *, after: str = "", limit: int
    ) -> tuple[Sequence[UserId], bool]:
        """Return who is here and may be seen, by user id, and whether there are more.

        She herself is among them only while others may see her.
        """
        # Whom she may see is asked last: who has put her out since is not shown to her.
        shown = await self._store.shown()
        visible = sorted(set(await self._privacy.all_seen_by(viewer)).intersection(shown))
        begin = bisect_right(visible, after)
        return visible[begin : begin + limit], len(visible) > begin + limit

    async def online_in(self, viewer: UserId, room_id: RoomId) -> Sequence[UserId]:
        """Return who is here of a room that the viewer is in, by user id.

        Raises:
            NotFound, Forbidden, Gone: See `Privacy.seen_in`.
        """
        found = await self._store.get(await self._privacy.seen_in(viewer, room_id))
        return sorted(user_id for user_id, presence in found.items() if presence.is_shown)
