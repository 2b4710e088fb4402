"""What the report compares, and the bars that the engine is held to."""

from collections.abc import Sequence
from dataclasses import dataclass

from bench.engine.figures import Figures
from bench.engine.scenarios import Programme, Scenario
from bench.peers import NODE, OURS, Peer

FLAT = 1.2  # what may be called the same at the smallest size and at the largest
GIVEN_BACK = 1.1  # what a server may keep of its memory when all have left


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One value of one scenario, of every peer."""

    label: str
    unit: str
    scenario: Scenario
    value: str
    more: bool = False  # is better
    bar: float | None = None  # of ours / Node's: at most; where more is better, at least

    def of(self, figures: Figures, peer: Peer) -> float:
        """Return a peer's value."""
        return figures.values(peer, self.scenario)[self.value]

    def ratio(self, figures: Figures) -> float:
        """Return ours, where Node's is 1."""
        ours, theirs = ((peer, self.scenario, self.value) for peer in (OURS, NODE))
        return figures.ratio(ours, theirs)

    def met(self, figures: Figures) -> bool:
        """Whether the bar is met; without one it is."""
        ratio = self.ratio(figures)
        return self.bar is None or (ratio >= self.bar if self.more else ratio <= self.bar)


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """The same at several sizes, smallest first."""

    label: str
    unit: str
    sizes: Sequence[int]
    at: Sequence[tuple[Scenario, str]]
    limit: float = FLAT
    says: str = "each of {last:,} cost {ratio:.2f} times what {first:,} do"

    def of(self, figures: Figures, peer: Peer) -> list[float]:
        """Return a peer's values."""
        return [figures.values(peer, scenario)[value] for scenario, value in self.at]

    def remark(self, figures: Figures) -> str:
        """Return what is to be said of ours."""
        ratio = self.ratio(figures, OURS)
        said = self.says.format(first=self.sizes[0], last=self.sizes[-1], ratio=ratio)
        return f"{self.label} is {'flat' if ratio <= self.limit else '**not flat**'}: {said}."

    def ratio(self, figures: Figures, peer: Peer) -> float:
        """Return the largest size's, where the smallest size's is 1."""
        return figures.ratio((peer, *self.at[-1]), (peer, *self.at[0]))


def lines(plan: Programme) -> Sequence[Line]:
    """Return what is compared with Node."""
    delivery, ack = "µs of CPU per delivery", "µs of CPU per ack"
    memory, coming = "KiB per idle connection", plan.coming
    return [
        Line(label=plan.one.name, unit=delivery, scenario=plan.one, value="cpu_us", bar=0.6),
        Line(label=plan.many.name, unit=delivery, scenario=plan.many, value="cpu_us"),
        Line(
            label=plan.many.name, unit="deliveries per second",
            scenario=plan.many, value="per_s", more=True, bar=10,
        ),
        Line(label=plan.ack.name, unit=ack, scenario=plan.ack, value="cpu_us", bar=0.5),
        Line(label=plan.acks.name, unit=ack, scenario=plan.acks, value="cpu_us", bar=0.5),
        Line(
            label="connect: WebSocket, namespace", unit="µs of CPU",
            scenario=coming, value="connect_us", bar=0.6,
        ),
        Line(label=f"{coming.few:,} connected", unit=memory,
             scenario=coming, value="few_kib", bar=0.4),
        Line(label=f"{coming.clients:,} connected", unit=memory,
             scenario=coming, value="all_kib", bar=0.4),
        Line(label=f"{coming.drop:,} drop at once", unit="ms of CPU",
             scenario=coming, value="drop_ms", bar=1),
    ]  # fmt: skip


def growths(plan: Programme) -> Sequence[Growth]:
    """Return what must not grow with the size."""
    return [
        Growth(
            label="broadcast, 1 in flight", unit="µs of CPU per delivery",
            sizes=[traffic.clients for traffic in plan.growth],
            at=[(traffic, "cpu_us") for traffic in plan.growth],
        ),
        Growth(
            label="memory", unit="KiB per idle connection",
            sizes=[plan.coming.few, plan.coming.clients],
            at=[(plan.coming, "few_kib"), (plan.coming, "all_kib")],
        ),
        Growth(
            label="memory before and after", unit="MiB with nobody connected",
            sizes=[0, plan.coming.clients], limit=GIVEN_BACK,
            says="{ratio:.2f} times as much when {last:,} have come and left",
            at=[(plan.coming, "before_mib"), (plan.coming, "after_mib")],
        ),
    ]  # fmt: skip
