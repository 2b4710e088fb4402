"""What is known of all nodes, in Redis: leases, what they hold, what is due, who is shown."""

import logging
import secrets
import time
from collections.abc import Callable, Collection, Generator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

import orjson

from parley.storage.errors import StorageUnavailable
from parley.storage.models import UserId
from parley.storage.presence import Device
from parley.storage.redis.database import RedisDatabase
from parley.storage.redis.scripts import Script, answers, pipeline_of

logger = logging.getLogger(__name__)

# A lease begins anew so often. A failover may have lost the last second of what was written, and
# nobody notices: whoever is missing is put again then, and whoever should be gone is left behind.
ANEW_S = 120.0

_SCRIPT = Script("presence.lua")
_NAMES = ("leases", "held", "due", "shown", "unshown", "clock", "born")
# One hash tag: on a cluster a lease and what it holds are in one slot.
_KEYS = [f"{{presence}}:{name}" for name in _NAMES]
_SHOWN = _KEYS[_NAMES.index("shown")]


@dataclass(slots=True, kw_only=True)
class News:
    """What has come of a change of users, for the books."""

    held: list[str] = field(default_factory=list[str])  # '{lease} {user_id} {device}'
    ended: list[str] = field(default_factory=list[str])  # the same
    looked_at: list[str] = field(default_factory=list[str])  # '{user_id} {device}', deadline, …
    users: list[tuple[UserId, str, int]] = field(default_factory=list[tuple[UserId, str, int]])


@dataclass(frozen=True, slots=True, kw_only=True)
class Overdue:
    """What has come due, and was not ended yet."""

    over: Sequence[str]  # leases
    held: Sequence[str]  # by them, or some of it: '{lease} {user_id} {device}'
    looked_at: Sequence[str]  # '{user_id} {device}' whose grace is over, deadline, …
    wait_s: float

    @property
    def users(self) -> Collection[UserId]:
        """Return whom it is about."""
        held = (UserId(member.split()[1]) for member in self.held)
        left = (UserId(member.split()[0]) for member in self.looked_at[::2])
        return dict.fromkeys([*held, *left])


class Leases:
    """The keys ``{presence}:…``.

    A node's lease has a name of its own each time it begins. So a node that was started again
    under the same name does not renew what its forerunner held.
    """

    def __init__(
        self, database: RedisDatabase, *, lease_s: float, now: Callable[[], int] | None
    ) -> None:
        self._database = database
        self._lease_s = lease_s
        self._now = now
        self._own: dict[str, str] = {}  # by server_id
        self._began: dict[str, float] = {}  # when each was
        self._longest_grace_s = 0.0
        # The newest version that was shown here, or elsewhere as far as is known.
        self.newest = 0
        self._waiting: list[News] = []  # for Redis to take it
        self._born: bytes | None = None  # of what is in Redis; another one: it was lost
        # Until then others may not have come back: after Redis was away they are given the time
        # to renew, and after it lost all, the time to put all again.
        self._patient_until = self._partial_until = -1.0

    async def begin(self, devices: Collection[Device]) -> tuple[dict[str, str], int]:
        """Note that devices will be put; return the leases of their nodes, and until when."""
        by_server: dict[str, list[str]] = {}
        for device in devices:
            by_server.setdefault(device.server_id, []).append(f"{device.user_id} {device.id}")
        deadlines = list[int]()
        for server_id, its in by_server.items():
            instead = f"{server_id}:{secrets.token_hex(4)}"
            known = self._own.get(server_id, instead)
            _, lease, until = await self._run(
                "begin",
                lease=known,
                instead=instead,
                lease_us=self._lease_us,
                born=secrets.token_hex(8),
                devices=its,
            )
            self._own[server_id] = lease.decode()
            if lease.decode() == instead:
                self._began[server_id] = time.monotonic()
            deadlines.append(int(until))
        return {server_id: self._own[server_id] for server_id in by_server}, min(deadlines)

    async def renew(self, server_id: str) -> bool:
        """See `PresenceStore`."""
        lease = self._own.get(server_id)
        if lease is None:
            return False
        if time.monotonic() - self._began[server_id] > ANEW_S:
            # What has left stays with the old one, for as long as it may come back.
            last_us = round(max(self._lease_s, self._longest_grace_s) * 1_000_000)
            await self._run("renew", lease=lease, lease_us=last_us)
            # Somebody else may have been here meanwhile, and have begun the next one.
            if self._own.get(server_id) == lease:
                del self._own[server_id]
            return False
        _, held = await self._run("renew", lease=lease, lease_us=self._lease_us)
        await self._settle()
        return bool(held)

    async def leave(self, deadlines: Sequence[str], grace_s: float) -> None:
        """Note when devices are due: each, and its deadline."""
        self._longest_grace_s = max(self._longest_grace_s, grace_s)
        await self._run("leave", devices=deadlines)

    async def due(self, most: int) -> Overdue:
        """Return what has come due, so many devices at most."""
        now, ended, due, next_due = await self._run("list_due", most=most)
        over: list[str] = [lease.decode() for lease in ended]
        wait_s = self._lease_s
        if next_due:
            wait_s = min(wait_s, (int(next_due) - int(now)) / 1_000_000)
        patience = self._patient_until - time.monotonic()
        if over and patience > 0:
            over, wait_s = [], min(wait_s, patience)
        held = list[str]()
        for lease in over:
            if len(held) < most:
                _, found = await self._run("list_held", lease=lease, most=most - len(held))
                held += [member.decode() for member in found]
        # One that holds something is over only when it holds nothing more.
        more = len(due) >= 2 * most or bool(held)
        return Overdue(
            over=over,
            held=held,
            looked_at=[text.decode() for text in due],
            wait_s=0.0 if more else wait_s,
        )

    async def settle(self, news: News) -> None:
        """Enter news into the books, now or as soon as Redis takes them."""
        self._waiting.append(news)
        try:
            await self._settle()
        except StorageUnavailable as error:
            # What changed has changed, and has to be told; this follows with the next renewal.
            logger.warning("presence: %s", error)

    async def look(self) -> int:
        """Return what the clock says, or the newest version that was shown if that is above."""
        [now] = await self._run("look")
        return max(int(now), self.newest)

    def show(self, version: int) -> int:
        """Note that a version is shown, and return it."""
        self.newest = max(self.newest, version)
        return version

    def must_be_whole(self, everybody_is_here: bool) -> None:
        """Raise `StorageUnavailable` where somebody may not have been put again yet."""
        if not everybody_is_here and time.monotonic() < self._partial_until:
            raise StorageUnavailable("Redis has lost who is here, and is told again")

    async def shown(self) -> Collection[UserId]:
        """See `PresenceStore`."""
        await self._run("look")
        self.must_be_whole(False)
        pipeline = pipeline_of(self._database)
        pipeline.zrange(_SHOWN, 0, -1)
        [found] = await answers(pipeline)
        return [UserId(each.decode()) for each in found]

    @contextmanager
    def patient(self) -> Generator[None]:
        """Remember that Redis did not answer, where it does not."""
        try:
            yield
        except StorageUnavailable:
            self._patient_until = time.monotonic() + self._lease_s / 2
            raise

    @property
    def _lease_us(self) -> int:
        return round(self._lease_s * 1_000_000)

    async def _settle(self) -> None:
        waiting, self._waiting = self._waiting, []
        try:
            while waiting:
                await self._run("settle", **asdict(waiting[0]))
                waiting.pop(0)
        finally:
            self._waiting += waiting  # in any order: what is older changes nothing

    async def _run(self, verb: str, **said: Any) -> list[Any]:
        """Return when it was done, and what it answers."""
        now = "" if self._now is None else str(self._now())
        with self.patient():
            answer = await _SCRIPT.run(
                self._database, (_KEYS, [verb, now, str(self.newest), orjson.dumps(said)])
            )
        now, newest, born, *rest = answer
        self.newest = max(self.newest, int(newest))
        self._look_at(born)
        return [now, *rest]

    def _look_at(self, born: bytes) -> None:
        if self._born is not None and born != self._born:
            self._patient_until = self._partial_until = time.monotonic() + self._lease_s / 2
            self._waiting.clear()  # it is about what is no more
        if born:
            self._born = born
