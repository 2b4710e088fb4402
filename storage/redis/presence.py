"""Who is here, in Redis: for all nodes.

A user is one key, and all that is about nodes is in one slot. No step touches both, so what a
lease holds is noted before a user changes, and what came of it after: a process that dies in
between leaves too much noted, never too little. See docs/design.md, "Presence in Redis".
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from itertools import islice
from typing import Any, TypeVar

from parley.storage.memory.presence import LEASE_S
from parley.storage.models import Timestamp, UserId
from parley.storage.presence import Device, Due, Presence
from parley.storage.redis.database import RedisDatabase
from parley.storage.redis.leases import Leases, News
from parley.storage.redis.user_status import Changes, Record, UserStatus, to_json

AT_ONCE = 200  # users in one go: Redis, and this process, do other things in between

V = TypeVar("V")


class RedisPresenceStore:
    """See `PresenceStore`. Deadlines are by the clock of Redis."""

    def __init__(
        self,
        database: RedisDatabase,
        *,
        lease_s: float = LEASE_S,
        now: Callable[[], int] | None = None,
    ) -> None:
        """Keep it in ``database``, for the nodes of this process.

        Args:
            now: Microseconds; None: the clock of Redis.
        """
        self._leases = Leases(database, lease_s=lease_s, now=now)
        self._users = UserStatus(database, now)
        self._untold = set[UserId]()  # whose change was made by a call that failed after it

    async def put(
        self,
        devices: Collection[Device],
        *,
        at: Timestamp,
        invisible: Collection[UserId] = (),
    ) -> Collection[UserId]:
        """See `PresenceStore`."""
        for part in _parts(_by_user(devices)):
            its = [device for each in part.values() for device in each]
            leases, until = await self._leases.begin(its)
            said = {
                user_id: {
                    "at": at,
                    "until_": str(until),
                    "invisible": user_id in invisible,
                    "devices": [to_json(device, leases[device.server_id]) for device in hers],
                }
                for user_id, hers in part.items()
            }
            held = [f"{leases[device.server_id]} {device.user_id} {device.id}" for device in its]
            changes = await self._change("put", said, News(held=held))
            self._untold |= changes.changed
        told, self._untold = self._untold, set[UserId]()
        return told

    async def leave(self, devices: Collection[Device], *, grace_s: float) -> None:
        """See `PresenceStore`."""
        for part in _parts(_by_user(devices)):
            ids = {user_id: [device.id for device in hers] for user_id, hers in part.items()}
            with self._leases.patient():
                deadlines = await self._users.leave(round(grace_s * 1_000_000), ids)
            if deadlines:
                await self._leases.leave(deadlines, grace_s)

    async def hide(self, user_id: UserId, invisible: bool, *, at: Timestamp) -> bool:
        """See `PresenceStore`."""
        said = {user_id: {"at": at, "invisible": invisible}}
        return bool((await self._change("hide", said, News())).changed)

    async def renew(self, server_id: str) -> bool:
        """See `PresenceStore`."""
        return await self._leases.renew(server_id)

    async def claim(self, *, at: Timestamp) -> Due:
        """See `PresenceStore`.

        It ends some at a time, and says that more are due: what was ended is told first.
        """
        due = await self._leases.due(AT_ONCE)
        changes = Changes()
        if due.users:
            news = News(ended=list(due.held), looked_at=list(due.looked_at))
            said = {user_id: {"at": at, "leases": due.over} for user_id in due.users}
            changes = await self._change("finish", said, news)
        return Due(
            changed=frozenset(changes.changed), left=frozenset(changes.left), wait_s=due.wait_s
        )

    async def get(self, user_ids: Collection[UserId]) -> Mapping[UserId, Presence]:
        """See `PresenceStore`.

        Raises:
            StorageUnavailable: Also for a while after Redis has lost everything, if one of them
                is not there: she may not have been put again yet.
        """
        wanted = list(user_ids)
        if not wanted:
            return {}
        as_of, records = await self._look(wanted)
        self._leases.must_be_whole(all(user_id in records for user_id in wanted))
        return {
            user_id: _presence(user_id, records.get(user_id), self._leases.show(as_of))
            for user_id in wanted
        }

    async def shown(self) -> Collection[UserId]:
        """See `PresenceStore`."""
        return await self._leases.shown()

    async def _change(
        self, verb: str, said: Mapping[UserId, Mapping[str, Any]], news: News
    ) -> Changes:
        with self._leases.patient():
            changes = await self._users.change(verb, self._leases.newest, said)
        news.users += changes.states
        news.ended += [" ".join(each) for each in changes.ended]
        await self._leases.settle(news)
        return changes

    async def _look(self, user_ids: Collection[UserId]) -> tuple[int, Mapping[UserId, Record]]:
        """Return how users are, and a version that is that of a moment before all later changes."""
        as_of, newest = 0, 0
        records = dict[UserId, Record]()
        for _ in range(2):
            # The clock first: what changes after it has a version above it. Where something has
            # changed before it was read, look again; the second time it is a clock that was
            # set back, and the version is above it for longer.
            as_of = await self._leases.look()
            records.clear()
            for part in _parts(dict.fromkeys(user_ids)):
                with self._leases.patient():
                    records.update(await self._users.read(part))
            newest = max((record.version for record in records.values()), default=0)
            if newest <= as_of:
                break
        return max(as_of, newest), records


def _presence(user_id: UserId, record: Record | None, as_of: int) -> Presence:
    return Presence(
        user_id=user_id,
        devices=() if record is None else record.devices,
        invisible=record is not None and record.invisible,
        as_of=as_of,
        changed_at=None if record is None else record.changed_at,
    )


def _by_user(devices: Collection[Device]) -> dict[UserId, list[Device]]:
    by_user: dict[UserId, list[Device]] = {}
    for device in devices:
        by_user.setdefault(device.user_id, []).append(device)
    return by_user


def _parts(of_users: Mapping[UserId, V]) -> Iterator[dict[UserId, V]]:
    """Yield so many at a time as go in one go."""
    rest = iter(of_users.items())
    while part := dict(islice(rest, AT_ONCE)):
        yield part
