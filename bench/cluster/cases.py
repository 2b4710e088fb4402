"""What is measured: which nodes there are, and what is written through them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum

from bench.chat.cases import PROFILED, Case, half


class Kept(Enum):
    """Where the servers keep what is said, and how they hear of one another."""

    SQLITE = "SQLite"
    MONGODB = "MongoDB"
    BOTH = "MongoDB and Redis"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A load of so many nodes."""

    title: str
    case: Case
    kept: Kept
    nodes: int = 1  # that run; the case says how many of them have members

    @property
    def name(self) -> str:
        """Return what it is called in a sentence."""
        return f"{self.title}: {self.case.name}, {self.kept.value}"


ONE_PROCESS = (
    Setting(title="SQLite", case=PROFILED, kept=Kept.SQLITE),
    Setting(title="MongoDB", case=PROFILED, kept=Kept.MONGODB),
)

NODES = 3
HOT = Setting(
    title="one hot room",
    case=Case(senders=48, members=50, nodes=NODES),
    kept=Kept.BOTH,
    nodes=NODES,
)
MANY = Setting(
    # Each node has a sender in each room, so that all rooms are contested all the time.
    title="50 rooms",
    case=Case(senders=50 * NODES, rooms=50, members=4 * NODES, nodes=NODES),
    kept=Kept.BOTH,
    nodes=NODES,
)
THREE_NODES = (HOT, MANY)


def at_half(full: Setting, acked_per_s: float) -> Setting:
    """Return the same at half of what it reached."""
    title = f"{full.title}, half load"
    return replace(full, title=title, case=half(full.case, acked_per_s))


def hops(in_flight: int) -> Sequence[Setting]:
    """Return rooms of two: on a server that knows no other, on one of two nodes, and on both."""
    one = Case(senders=in_flight, rooms=in_flight, members=2)
    two = Case(senders=in_flight, rooms=in_flight, members=2, nodes=2)
    return (
        Setting(title="no other node", case=one, kept=Kept.MONGODB),
        Setting(title="both members on one of two nodes", case=one, kept=Kept.BOTH, nodes=2),
        Setting(title="a member on each of two nodes", case=two, kept=Kept.BOTH, nodes=2),
    )
