"""The users whom somebody on this node looks at: as they were last seen, and what changes."""

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence

from parley.namespaces.presence.views import Sighting, Sightings
from parley.storage.models import UserId

AT_ONCE = 500  # users in one read


Observer = Callable[[Sighting, Sighting], None]
"""Is told of a user who was seen before and is seen now, without waiting."""


class TrackedUsers:
    """Sees each change of a tracked user once, in order, whatever hints came of it.

    What was shown and what is shown next follow from `sighting`, which moves only here, and
    observers are told in the same step. So who reads it and subscribes in one step misses
    nothing.
    """

    def __init__(self, sightings: Sightings) -> None:
        self._sightings = sightings
        self._holders: Counter[UserId] = Counter()  # how many look at each
        self._seen: dict[UserId, Sighting] = {}  # of those, who was looked at yet
        self._observers: list[Observer] = []
        # One look at a time, or an older one could come in last.
        self._looking = asyncio.Lock()

    def observe(self, observer: Observer) -> None:
        """Tell somebody of every change."""
        self._observers.append(observer)

    def __contains__(self, user_id: UserId) -> bool:
        """Whether anybody here looks at a user."""
        return user_id in self._holders

    def all(self) -> Sequence[UserId]:
        """Return everybody who is tracked."""
        return list(self._holders)

    def hold(self, user_ids: Iterable[UserId]) -> None:
        """Track users; each call has to be taken back by `release`."""
        for user_id in user_ids:
            self._holders[user_id] += 1

    def release(self, user_ids: Iterable[UserId]) -> None:
        """Track users no more, if nobody else does."""
        for user_id in user_ids:
            self._holders[user_id] -= 1
            if not self._holders[user_id]:
                del self._holders[user_id]
                self._seen.pop(user_id, None)

    def sighting(self, user_id: UserId) -> Sighting:
        """Return a tracked user as she was last seen; she was looked at since she is tracked."""
        return self._seen[user_id]

    def unseen(self, user_ids: Collection[UserId]) -> Sequence[UserId]:
        """Return those of tracked users who were not looked at yet."""
        return [user_id for user_id in user_ids if user_id not in self._seen]

    async def look(self, user_ids: Collection[UserId]) -> None:
        """See how users are, as far as they are tracked.

        Raises:
            StorageUnavailable: Some were not looked at; looking again is safe.
        """
        wanted = list(user_ids)
        for begin in range(0, len(wanted), AT_ONCE):
            async with self._looking:
                tracked = [u for u in wanted[begin : begin + AT_ONCE] if u in self._holders]
                if tracked:
                    found = await self._sightings.read(tracked)
                    for user_id, sighting in found.items():
                        self._see(user_id, sighting)

    def _see(self, user_id: UserId, after: Sighting) -> None:
        if user_id not in self._holders:
            return  # nobody looks at her any more
        before = self._seen.get(user_id)
        if before is not None and before.presence.as_of > after.presence.as_of:
            return
        self._seen[user_id] = after
        # Of a user who is tracked since a moment ago nothing has been shown that could change.
        # Mostly nothing has: whoever begins to follow has all looked at whom she follows.
        if before is not None and not before.is_as(after):
            for observer in self._observers:
                observer(before, after)
