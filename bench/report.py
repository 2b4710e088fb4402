"""The figures as a table on the terminal, as Markdown and as JSON."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.figures import Figures
from bench.hotspots import Hotspots, Shares
from bench.machine import IDLE
from bench.tables import Sheet

AIM_PER_S = 10_000  # acked per second and process
WIDTH = 120  # where it is not a terminal that says how wide it is
NEAR_ITS_LIMIT = 0.9  # processors, of the one that the generator can use

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
    profiled: Figures  # the case that the hotspots are of, as measured without a profiler
    hotspots: Hotspots | None

    def show(self) -> None:
        """Print it for a person."""
        console = Console()
        if not console.is_terminal:
            console.width = WIDTH
        for sheet in self.sheets:
            console.print(_rich_table(sheet.title, sheet.headers, sheet.rows))
        for remark in self._remarks():
            console.print(f"- {remark}")
        for title, headers, rows in self._profile():
            console.print(_rich_table(title, headers, rows))

    def write(self, folder: Path) -> None:
        """Write ``chat.md`` and ``chat.json``."""
        folder.mkdir(parents=True, exist_ok=True)
        exact = json.dumps(
            {
                "machine": self.machine,
                "schedule": self.schedule,
                "figures": [asdict(row) for row in self.figures],
                "profiled": self.profiled.case.name,
                "hotspots": asdict(self.hotspots) if self.hotspots else None,
            }
        )
        rounded = json.loads(exact, parse_float=lambda text: round(float(text), 4))
        text = json.dumps(rounded, indent=1, ensure_ascii=False)
        (folder / "chat.json").write_text(text + "\n")
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
            lines += ["", f"## {sheet.title}", "", *_markdown_table(sheet.headers, sheet.rows)]
        if self.hotspots:
            lines += ["", f"## Where the CPU goes: {self.profiled.case.name}"]
        for title, headers, rows in self._profile():
            lines += ["", f"### {title}", "", *_markdown_table(headers, rows)]
        return "\n".join(lines) + "\n"

    def _remarks(self) -> list[str]:
        best = max(self.figures, key=lambda f: f.acked_per_s)
        share = best.acked_per_s / AIM_PER_S
        aim = (
            f"Best: {best.acked_per_s:,.0f} acked per second with {best.case.name}, "
            f"{share:.0%} of the aim of {AIM_PER_S:,} per process."
        )
        return [
            aim,
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

    def _profile(self) -> Iterator[tuple[str, list[str], list[list[str]]]]:
        if self.hotspots is None:
            return
        cpu = self.profiled.server_us
        for title, name in DIVISIONS:
            shares: Shares = getattr(self.hotspots, name)
            rows = [[where, f"{share:.1%}", f"{share * cpu:.1f}"] for where, share in shares]
            yield title, ["where", "share", "µs per message"], rows


def _rich_table(title: str, headers: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold")
    for number, header in enumerate(headers):
        table.add_column(header, justify="right" if number else "left")
    for row in rows:
        table.add_row(*(cell.replace("**", "") for cell in row))
    return table


def _markdown_table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    ruler = [":---", *("---:" for _ in headers[1:])]
    return ["| " + " | ".join(row) + " |" for row in (headers, ruler, *rows)]
