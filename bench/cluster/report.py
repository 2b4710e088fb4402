"""The figures as tables on the terminal, as Markdown and as JSON."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.chat.hotspots import Hotspots, Shares
from bench.chat.report import DIVISIONS
from bench.chat.tables import ms, rate
from bench.cluster.figures import Figures
from bench.cluster.hop import Hop
from bench.generator import NEAR_ITS_LIMIT
from bench.machine import IDLE
from bench.peers import NODE, OURS, Peer
from bench.rendering import Table, show, write_json

AIM_PER_S = 6_000  # acked per second and process, on MongoDB
AIM_P99_MS = 200  # of an ack, where three nodes write into the same rooms
AIM_HOP = 1.5  # of ours, where Node's is 1

Cell = Callable[[Figures], str]

LINES: Sequence[tuple[str, Cell]] = (
    ("**acked per second**", lambda f: f"**{rate(f.acked_per_s)}**"),
    ("– by node", lambda f: " · ".join(rate(n.acked_per_s) for n in f.nodes)),
    ("ack p50, ms", lambda f: ms(f.ack_p50_ms)),
    ("ack p99, ms", lambda f: ms(f.ack_p99_ms)),
    ("– by node", lambda f: " · ".join(ms(n.ack_p99_ms) for n in f.nodes)),
    ("delivery p50, ms", lambda f: ms(f.delivery_p50_ms)),
    ("delivery p99, ms", lambda f: ms(f.delivery_p99_ms)),
    ("deliveries per second", lambda f: f"{f.deliveries_per_s:,.0f}"),
)


@dataclass(frozen=True, slots=True)
class Profile:
    """Where the CPU of a setting's first node goes."""

    figures: Figures
    hotspots: Hotspots


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything that one run of the benchmark found."""

    machine: dict[str, str | int]
    schedule: str
    one_process: Sequence[Figures]
    three_nodes: Sequence[Figures]
    chat_hops: Sequence[Sequence[Figures]]  # no other node, one of two, both of two
    hops: Sequence[Hop]
    profiles: Sequence[Profile]

    @property
    def losses(self) -> list[str]:
        """Return what was lost, and where."""
        lost = [f"LOST with {f.setting.name}: {f.losses}." for f in self._figures if f.losses]
        return lost + [f"LOST with {h.peer}: {h.losses}." for h in self.hops if h.losses]

    @property
    def _figures(self) -> list[Figures]:
        hops = [figures for row in self.chat_hops for figures in row]
        return [*self.one_process, *self.three_nodes, *hops]

    def show(self) -> None:
        """Print it for a person."""
        show([*self._tables(), *self._remarks(), *(t for p in self.profiles for t in _shares(p))])

    def write(self, folder: Path) -> None:
        """Write ``cluster.md`` and ``cluster.json``."""
        folder.mkdir(parents=True, exist_ok=True)
        about = {"machine": self.machine, "schedule": self.schedule}
        figures = [asdict(row) for row in self._figures]
        for row in figures:
            row["setting"]["kept"] = row["setting"]["kept"].value
        profiles = {p.figures.setting.name: asdict(p.hotspots) for p in self.profiles}
        hops = [asdict(hop) for hop in self.hops]
        write_json(
            folder / "cluster.json",
            {**about, "figures": figures, "hops": hops, "hotspots": profiles},
        )
        (folder / "cluster.md").write_text("\n".join(self._markdown()) + "\n")

    def _markdown(self) -> Iterator[str]:
        cores, cpu, python = (self.machine[name] for name in ("cores", "cpu", "python"))
        yield from (
            "# Several nodes on MongoDB and Redis",
            "",
            "Written by `make bench`; [how to read it](../README.md).",
            f"{cores} cores of {cpu}, Python {python}. {self.schedule}",
            "",
            *(f"- {remark}" for remark in self._remarks()),
        )
        for table in self._tables():
            yield from table.section(2)
        for profile in self.profiles:
            yield from (
                "",
                f"## Where the CPU of the first node goes: {profile.figures.setting.name}",
            )
            for table in _shares(profile):
                yield from table.section(3)

    def _tables(self) -> Iterator[Table]:
        yield _compared("One process, 256 senders in 6 rooms of 50", self.one_process)
        yield _compared("Three nodes", self.three_nodes)
        for row in self.chat_hops:
            senders = row[0].setting.case.senders
            yield _compared(f"A hop of `chat`, rooms of 2, {senders} in flight", row)
        if self.hops:
            headers = ["peer", "nodes", "in flight", "messages per second", "p50, ms", "p99, ms"]
            rows = [_hop_row(hop) for hop in self.hops]
            yield Table(
                "A hop of the engine, a room of 2", [*headers, "CPU per message, µs", "of it"], rows
            )

    def _remarks(self) -> Iterator[str]:
        mongodb = self.one_process[-1]
        share = mongodb.acked_per_s / AIM_PER_S
        yield (
            f"One process on MongoDB: {mongodb.acked_per_s:,.0f} acked per second, {share:.0%} of "
            f"the aim of {AIM_PER_S:,}."
        )
        for figures in self.three_nodes:
            rates = [node.acked_per_s for node in figures.nodes]
            yield (
                f"Three nodes, {figures.setting.title}: ack p99 {figures.ack_p99_ms or 0:.0f} ms "
                f"(aim {AIM_P99_MS}); the slowest node acks {min(rates) / max(rates):.0%} of what "
                "the fastest does."
            )
        yield from self._hop_remarks()
        yield from self.losses
        yield from self._doubts(
            lambda f: f.generator_cores > NEAR_ITS_LIMIT, "The generator was near its own limit"
        )
        yield from self._doubts(
            lambda f: f.others_cores > IDLE, "The machine had other work; measure again"
        )

    def _hop_remarks(self) -> Iterator[str]:
        for alone, _, two in self.chat_hops:
            in_flight = alone.setting.case.senders
            node = self._cost_of(NODE, in_flight)
            if node is None:
                continue
            hop = two.servers_us - alone.servers_us
            yield (
                f"The hop of a `chat` message, {in_flight} in flight: {hop:,.0f} µs of CPU, where "
                f"Node's is {node[1]:,.0f}: {hop / node[1]:.2f} times (aim {AIM_HOP})."
            )
            if ours := self._cost_of(OURS, in_flight):
                yield (
                    f"A message of the engine over two nodes, {in_flight} in flight: "
                    f"{ours[0]:,.0f} µs, Node's {node[0]:,.0f}: {ours[0] / node[0]:.2f} times."
                )

    def _cost_of(self, peer: Peer, in_flight: int) -> tuple[float, float] | None:
        """Return what a message costs over two nodes, and how much of it is the hop."""
        found = {h.nodes: h.total_us for h in self.hops
                 if h.peer == peer.name and h.in_flight == in_flight}  # fmt: skip
        return (found[2], found[2] - found[1]) if len(found) > 1 else None

    def _doubts(self, doubtful: Callable[[Figures], bool], why: str) -> Iterator[str]:
        names = [figures.setting.name for figures in self._figures if doubtful(figures)]
        if names:
            yield f"{why}: {'; '.join(names)}."


def _compared(title: str, columns: Sequence[Figures]) -> Table:
    """Return a table with a setting in each column."""
    processes = list(dict.fromkeys(name for figures in columns for name in figures.cpu_us))
    rows = [[label, *map(cell, columns)] for label, cell in LINES]
    rows += [
        [f"CPU per message, µs: {name}", *(_of(f.cpu_us, name, "{:,.0f}") for f in columns)]
        for name in processes
    ]
    rows += [
        [f"cores: {name}", *(_of(f.cores, name, "{:.2f}") for f in columns)] for name in processes
    ]
    rows.append(["cores: generator", *(f"{f.generator_cores:.2f}" for f in columns)])
    rows.append(["cores: all else", *(f"{f.others_cores:.2f}" for f in columns)])
    return Table(title, ["", *(figures.setting.title for figures in columns)], rows)


def _of(values: Mapping[str, float], name: str, form: str) -> str:
    return form.format(values[name]) if name in values else "–"


def _hop_row(hop: Hop) -> list[str]:
    parts = ", ".join(f"{name} {cpu:,.0f}" for name, cpu in hop.cpu_us.items())
    rates = [f"{hop.messages_per_s:,.0f}", f"{hop.p50_ms:.2f}", f"{hop.p99_ms:.2f}"]
    return [hop.peer, str(hop.nodes), str(hop.in_flight), *rates, f"**{hop.total_us:,.0f}**", parts]


def _shares(profile: Profile) -> Iterator[Table]:
    cpu = profile.figures.cpu_us["node 1"]
    for title, name in DIVISIONS:
        shares: Shares = getattr(profile.hotspots, name)
        rows = [[where, f"{share:.1%}", f"{share * cpu:.1f}"] for where, share in shares]
        yield Table(title, ["where", "share", "µs per message"], rows)
