"""What is done to each peer."""

from collections.abc import Sequence
from dataclasses import dataclass

SPARE_FILES = 200  # of a process, beside one for each connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """How long traffic is measured, in seconds."""

    warm_up: float
    window: float
    windows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """Messages, always the same number in flight."""

    kind: str  # broadcast: the unit is a delivery; echo: the unit is an ack
    clients: int
    in_flight: int = 1  # broadcast: in all; echo: of each client

    @property
    def name(self) -> str:
        """Return what it is called in a table."""
        if self.kind == "echo":
            return f"event → ack, {self.clients} clients, {self.in_flight} in flight each"
        return f"broadcast to {self.clients:,}, {self.in_flight} in flight"

    def arguments(self, schedule: Schedule) -> Sequence[str]:
        """Return what the generator is told."""
        return [
            self.kind, "--clients", str(self.clients), "--in-flight", str(self.in_flight),
            "--warm-up", str(schedule.warm_up), "--window", str(schedule.window),
            "--windows", str(schedule.windows),
        ]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Coming:
    """A crowd comes in two steps, rests, and most of it drops at once, then the rest."""

    few: int
    clients: int
    drop: int

    @property
    def name(self) -> str:
        """Return what it is called in a table."""
        return f"{self.clients:,} come, {self.drop:,} drop"

    def arguments(self, _schedule: Schedule) -> Sequence[str]:
        """Return what the generator is told."""
        steps = f"{self.few},{self.clients}"
        return ["coming", "--clients", steps, "--drop", str(self.drop)]


Scenario = Traffic | Coming


@dataclass(frozen=True, slots=True, kw_only=True)
class Programme:
    """All scenarios of a run, by the part that they play in the report."""

    one: Traffic
    many: Traffic
    ack: Traffic
    acks: Traffic
    coming: Coming
    growth: Sequence[Traffic]  # one in flight, to more and more

    @property
    def scenarios(self) -> Sequence[Scenario]:
        """Return all, in the order of their doing."""
        return [self.one, self.many, self.ack, self.acks, *self.growth, self.coming]

    @property
    def files(self) -> int:
        """Return how many open files a process needs."""
        return max(scenario.clients for scenario in self.scenarios) + SPARE_FILES


def programme(*, most: int) -> Programme:
    """Return it, with ``most`` clients where there are many."""
    broadcast = Traffic(kind="broadcast", clients=500)
    echo = Traffic(kind="echo", clients=50)
    return Programme(
        one=broadcast,
        many=Traffic(kind="broadcast", clients=500, in_flight=16),
        ack=echo,
        acks=Traffic(kind="echo", clients=50, in_flight=4),
        coming=Coming(few=most // 10, clients=most, drop=most * 8 // 10),
        growth=[
            Traffic(kind="broadcast", clients=clients)
            for clients in (most // 100, most // 10, most)
        ],
    )
