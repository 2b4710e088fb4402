"""What is measured: so many senders, and the rooms they send to."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """So many senders, spread evenly over so many rooms; everybody is connected."""

    senders: int
    rooms: int = 1
    members: int = 50  # of each room, each with a WebSocket; the senders are among them
    watchers: int = 0  # of each room, beside the members
    http: bool = False  # senders send on connections beside their WebSockets
    nodes: int = 1  # that members come to in turn
    per_s: int = 0  # that all senders together send; 0: each sends when her last is acked

    @property
    def connections(self) -> int:
        """Return how many connections there are, those of the senders included."""
        return self.rooms * (self.members + self.watchers) + self.senders * self.http

    @property
    def name(self) -> str:
        """Return what the case is called in a sentence."""
        senders = f"{self.senders} sender{'s' * (self.senders > 1)}{' over HTTP' * self.http}"
        rooms = f"{self.rooms} room{'s' * (self.rooms > 1)} of {self.members:,}"
        spread = f" on {self.nodes} nodes" if self.nodes > 1 else ""
        watched = f" with {self.watchers:,} watchers" if self.watchers else ""
        paced = f", {self.per_s:,} a second" if self.per_s else ""
        return f"{senders} in {rooms}{watched}{spread}{paced}"

    @property
    def interval_s(self) -> float:
        """Return the seconds between the messages of a sender, 0: as fast as they are acked."""
        return self.senders / self.per_s if self.per_s else 0

    @property
    def over_socket(self) -> Self:
        """Return the same where senders use their WebSockets."""
        return replace(self, http=False)

    @property
    def small(self) -> Self:
        """Return the same in ordinary rooms."""
        return replace(self, members=50, watchers=0)

    def senders_in(self, room: int) -> int:
        """Return how many of the room's members send."""
        return self.senders // self.rooms + (room < self.senders % self.rooms)


PROFILED = Case(senders=256, rooms=6)


def half(full: Case, acked_per_s: float) -> Case:
    """Return the same senders at half of what they reached."""
    return replace(full, per_s=round(acked_per_s / 2))


# Full rooms, either way.
MESSAGES = (
    Case(senders=1),
    Case(senders=1, http=True),
    Case(senders=64, rooms=2),
    Case(senders=64, rooms=2, http=True),
    PROFILED,
    Case(senders=256, rooms=6, http=True),
)

MANY_ROOMS = Case(senders=256, rooms=64)  # less is shared there


def big_rooms(members: int, watchers: int) -> Sequence[Case]:
    """Return an ordinary room, one of so many members, and one that so many watch."""
    return [
        case
        for senders in (1, 16)
        for case in (
            Case(senders=senders),
            Case(senders=senders, members=members),
            Case(senders=senders, watchers=watchers),
        )
    ]


def runs(*tables: Sequence[Case]) -> Iterator[Sequence[Case]]:
    """Yield every case once, those together that differ in the number of senders only.

    What is compared follows one another, for a machine is not equally fast all the time.
    """
    together: defaultdict[Case, list[Case]] = defaultdict(list)
    for case in dict.fromkeys(case for table in tables for case in table):
        together[replace(case, senders=0)].append(case)
    for crowd in sorted(together, key=lambda case: (case.rooms, case.members + case.watchers)):
        yield together[crowd]
