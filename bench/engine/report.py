"""The engine beside its peers: tables, JSON, and a plot."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.engine.bars import Growth, Line, growths, lines
from bench.engine.figures import TINY, Figures, Run, Values
from bench.engine.plot import Bar, Panel, plot
from bench.engine.scenarios import Programme
from bench.generator import NEAR_ITS_LIMIT
from bench.machine import IDLE
from bench.peers import OURS, PEERS
from bench.rendering import Table, show, write_json

SOME = 3  # names in a remark
HUNDREDS, TENS = 100, 10

Cell = Callable[[Values], str]

LOADS: Sequence[tuple[str, Cell]] = (
    ("per second", lambda v: f"{v['per_s']:,.0f}"),
    ("p50, ms", lambda v: f"{v['p50_ms']:.2f}" if "p50_ms" in v else "–"),
    ("p99, ms", lambda v: f"{v['p99_ms']:.2f}" if "p99_ms" in v else "–"),
    ("server, cores", lambda v: f"{v['server_cores']:.2f}"),
    ("in the kernel", lambda v: f"{v['kernel_share']:.0%}"),
    ("generator, cores", lambda v: f"{v['generator_cores']:.2f}"),
    ("generator could", lambda v: f"{v['per_s'] / max(v['generator_cores'], TINY):,.0f}"),
    ("all else, cores", lambda v: f"{v['others_cores']:.2f}"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything that one run of the benchmark found."""

    machine: dict[str, str | int]
    schedule: str
    plan: Programme
    figures: Figures

    def show(self) -> None:
        """Print it for a person."""
        show([*self._tables(), *self._remarks()])

    def write(self, folder: Path) -> None:
        """Write ``engine.md``, ``engine.json`` and ``engine.svg``."""
        folder.mkdir(parents=True, exist_ok=True)
        versions = {peer.title: peer.versions for peer in PEERS}
        about: dict[str, Any] = {"machine": self.machine, "schedule": self.schedule}
        rounds = [[_exact(run) for run in runs.values()] for runs in self.figures.rounds]
        write_json(folder / "engine.json", {**about, "peers": versions, "rounds": rounds})
        (folder / "engine.svg").write_text(plot(self._panels()))
        (folder / "engine.md").write_text("\n".join(self._markdown(versions)) + "\n")

    def _markdown(self, versions: Mapping[str, str]) -> Iterator[str]:
        cores, cpu, python = (self.machine[name] for name in ("cores", "cpu", "python"))
        yield from (
            "# The engine beside Socket.IO on Node.js",
            "",
            "Written by `make bench`; [how to read it](../README.md).",
            f"{cores} cores of {cpu}, Python {python}. {self.schedule}",
            "",
            *(f"- {title}: {parts}" for title, parts in versions.items()),
            *(f"- {remark}" for remark in self._remarks()),
            "",
            "![All of the first table, as bars](engine.svg)",
        )
        for table in self._tables():
            yield from table.section(2)

    def _tables(self) -> list[Table]:
        peers = [peer.name for peer in PEERS]
        return [
            Table(
                "One process each",
                ["work", "unit", *peers, "ours / Node", "bar", "met"],
                [self._compared(line) for line in lines(self.plan)],
            ),
            Table(
                "Growth",
                ["what grows", "unit", "peer", "at", "is", "last / first"],
                [row for growth in growths(self.plan) for row in self._grown(growth)],
            ),
            Table(
                "How busy everybody was",
                ["work", "peer", *(title for title, _ in LOADS)],
                list(self._loads()),
            ),
        ]

    def _compared(self, line: Line) -> list[str]:
        values = [_number(line.of(self.figures, peer)) for peer in PEERS]
        bar = "–" if line.bar is None else f"{'≥' if line.more else '≤'} {line.bar:g}"
        met = "–" if line.bar is None else "yes" if line.met(self.figures) else "**no**"
        return [line.label, line.unit, *values, f"**{line.ratio(self.figures):.2f}**", bar, met]

    def _grown(self, growth: Growth) -> Iterator[list[str]]:
        sizes = ", ".join(f"{size:,}" for size in growth.sizes)
        for peer in PEERS:
            values = ", ".join(_number(value) for value in growth.of(self.figures, peer))
            ratio = f"**{growth.ratio(self.figures, peer):.2f}**"
            yield [growth.label, growth.unit, peer.name, sizes, values, ratio]

    def _loads(self) -> Iterator[list[str]]:
        for scenario in self.plan.scenarios:
            for peer in PEERS:
                values = self.figures.values(peer, scenario)
                yield [scenario.name, peer.name, *(cell(values) for _, cell in LOADS)]

    def _panels(self) -> list[Panel]:
        return [
            Panel(
                title=line.label,
                unit=f"{line.unit}, {'more' if line.more else 'less'} is better",
                bars=[
                    Bar(peer.name, value, _number(value), ours=peer == OURS)
                    for peer in PEERS
                    for value in [line.of(self.figures, peer)]
                ],
            )
            for line in lines(self.plan)
        ]

    def _remarks(self) -> Iterator[str]:
        for run in self.figures.runs:
            if run.losses:
                yield f"LOST by {run.peer.name}, {run.scenario.name}: {run.losses}."
        missed = [line.label for line in lines(self.plan) if not line.met(self.figures)]
        if missed:
            yield f"Bars missed: {'; '.join(missed)}."
        yield from (growth.remark(self.figures) for growth in growths(self.plan))
        yield from self._doubts(
            lambda run: run.values["generator_cores"] > NEAR_ITS_LIMIT,
            "The generator was near its own limit",
        )
        yield from self._doubts(
            lambda run: run.values["others_cores"] > IDLE, "The machine had other work"
        )

    def _doubts(self, doubtful: Callable[[Run], bool], why: str) -> Iterator[str]:
        runs = self.figures.runs
        names = [f"{run.scenario.name} ({run.peer.name})" for run in runs if doubtful(run)]
        some = "; ".join(list(dict.fromkeys(names))[:SOME])
        if names:
            yield f"{why} in {len(names)} of {len(runs)} runs, among them: {some}."


def _exact(run: Run) -> dict[str, Any]:
    return {"work": run.scenario.name, "peer": run.peer.name, "losses": run.losses, **run.values}


def _number(value: float) -> str:
    """Return three digits, or all before the point."""
    if value >= HUNDREDS:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= TENS else f"{value:.2f}"
