"""The figures as a table on the terminal, as Markdown and as JSON."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.chat.figures import Figures
from bench.chat.hotspots import Hotspots, Shares
from bench.chat.tables import Sheet
from bench.generator import NEAR_ITS_LIMIT
from bench.machine import IDLE
from bench.rendering import Table, show, write_json

AIM_PER_S = 10_000  # acked per second and process
AIM_FULL_MS, AIM_HALF_MS = 50, 15  # p99 of an ack at full load and at half

DIVISIONS = (
    ("By thread", "threads"),
    ("By package, own time", "packages"),
    ("By function, own time (what it calls in C counts as its own)", "functions"),
    ("Our functions, with everything below them", "below"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything that one run of the benchmark found."""

    machine: dict[str, str | int]
    schedule: str
    figures: Sequence[Figures]  # of every case once, in the order of their measuring
    sheets: Sequence[Sheet]
    full: Figures  # the case that the hotspots are of, as measured without a profiler
    half: Figures  # the same senders at half of that rate
    hotspots: Hotspots | None

    def show(self) -> None:
        """Print it for a person."""
        show([*(sheet.table for sheet in self.sheets), *self._remarks(), *self._profile()])

    def write(self, folder: Path) -> None:
        """Write ``chat.md`` and ``chat.json``."""
        folder.mkdir(parents=True, exist_ok=True)
        write_json(
            folder / "chat.json",
            {
                "machine": self.machine,
                "schedule": self.schedule,
                "figures": [asdict(row) for row in self.figures],
                "profiled": self.full.case.name,
                "hotspots": asdict(self.hotspots) if self.hotspots else None,
            },
        )
        (folder / "chat.md").write_text(self._markdown())

    def _markdown(self) -> str:
        cores, cpu, python = (self.machine[name] for name in ("cores", "cpu", "python"))
        lines = [
            "# `chat` on SQLite",
            "",
            "Written by `make bench`; [how to read it](../README.md).",
            f"{cores} cores of {cpu}, Python {python}. {self.schedule}",
            "",
            *(f"- {remark}" for remark in self._remarks()),
        ]
        for sheet in self.sheets:
            lines += sheet.table.section(2)
        if self.hotspots:
            lines += ["", f"## Where the CPU goes: {self.full.case.name}"]
        for table in self._profile():
            lines += table.section(3)
        return "\n".join(lines) + "\n"

    def _remarks(self) -> list[str]:
        best = max(self.figures, key=lambda f: f.acked_per_s)
        share = best.acked_per_s / AIM_PER_S
        aim = (
            f"Best: {best.acked_per_s:,.0f} acked per second with {best.case.name}, "
            f"{share:.0%} of the aim of {AIM_PER_S:,} per process."
        )
        full, half = (row.ack_p99_ms or 0 for row in (self.full, self.half))
        late = (
            f"Ack p99: {full:.0f} ms at full load (aim {AIM_FULL_MS}), "
            f"{half:.1f} ms at half of it (aim {AIM_HALF_MS})."
        )
        return [
            aim,
            late,
            *(f"LOST with {f.case.name}: {f.losses}." for f in self.figures if f.losses),
            *self._doubts(
                lambda f: max(f.generator_cores, f.gathering.generator_cores) > NEAR_ITS_LIMIT,
                "The generator was near its own limit",
            ),
            *self._doubts(
                lambda f: f.others_cores > IDLE, "The machine had other work; measure again"
            ),
        ]

    def _doubts(self, doubtful: Callable[[Figures], bool], why: str) -> Iterator[str]:
        names = [figures.case.name for figures in self.figures if doubtful(figures)]
        if names:
            yield f"{why}: {'; '.join(names)}."

    def _profile(self) -> Iterator[Table]:
        if self.hotspots is None:
            return
        cpu = self.full.server_us
        for title, name in DIVISIONS:
            shares: Shares = getattr(self.hotspots, name)
            rows = [[where, f"{share:.1%}", f"{share * cpu:.1f}"] for where, share in shares]
            yield Table(title, ["where", "share", "µs per message"], rows)
