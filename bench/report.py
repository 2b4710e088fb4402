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

AIM_PER_S = 10_000  # acked per second and process
NEAR_ITS_LIMIT = 0.9  # processors, of the one that the generator can use

LINES: tuple[tuple[str, Callable[[Figures], str]], ...] = (
    ("rooms × members", lambda f: f"{f.rooms} × {f.clients // f.rooms}"),
    ("**acked per second**", lambda f: f"**{f.acked_per_s:,.0f}**"),
    ("worst–best window", lambda f: f"{f.acked_per_s_low:,.0f}–{f.acked_per_s_high:,.0f}"),
    ("ack p50, ms", lambda f: _ms(f.ack_p50_ms)),
    ("ack p99, ms", lambda f: _ms(f.ack_p99_ms)),
    ("delivery p50, ms", lambda f: _ms(f.delivery_p50_ms)),
    ("delivery p99, ms", lambda f: _ms(f.delivery_p99_ms)),
    ("deliveries per second", lambda f: f"{f.deliveries_per_s:,.0f}"),
    ("server CPU per message, µs", lambda f: f"{f.server_us:,.0f}"),
    ("– in user mode", lambda f: f"{f.server_user_us:,.0f}"),
    ("– in the kernel", lambda f: f"{f.server_system_us:,.0f}"),
    ("server, cores", lambda f: f"{f.server_cores:.2f}"),
    ("generator, cores", lambda f: f"{f.generator_cores:.2f}"),
    ("all else, cores", lambda f: f"{f.others_cores:.2f}"),
    ("server memory, MiB", lambda f: f"{f.server_rss_mib:,.0f}"),
    ("disk commit, ms", lambda f: f"{f.disk_ms:.2f}"),
)

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
    figures: Sequence[Figures]
    profiled: Figures  # the case that the hotspots are of, as measured without a profiler
    hotspots: Hotspots | None

    def show(self) -> None:
        """Print it for a person."""
        console = Console()
        headers, rows = self._table()
        console.print(_rich_table("chat on SQLite", headers, rows))
        for remark in self._remarks():
            console.print(f"- {remark}")
        for title, headers, rows in self._profile():
            console.print(_rich_table(title, headers, rows))

    def write(self, folder: Path) -> None:
        """Write ``chat.md`` and ``chat.json``."""
        folder.mkdir(parents=True, exist_ok=True)
        exact = json.dumps(asdict(self))
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
            *_markdown_table(*self._table()),
            "",
            *(f"- {remark}" for remark in self._remarks()),
        ]
        if self.hotspots:
            lines += ["", f"## Where the CPU goes: {self.profiled.name}"]
        for title, headers, rows in self._profile():
            lines += ["", f"### {title}", "", *_markdown_table(headers, rows)]
        return "\n".join(lines) + "\n"

    def _table(self) -> tuple[list[str], list[list[str]]]:
        headers = ["senders", *(f"{row.senders}" for row in self.figures)]
        return headers, [[label, *(cell(row) for row in self.figures)] for label, cell in LINES]

    def _remarks(self) -> list[str]:
        best = max(self.figures, key=lambda f: f.acked_per_s)
        share = best.acked_per_s / AIM_PER_S
        aim = (
            f"Best: {best.acked_per_s:,.0f} acked per second with {best.name}, "
            f"{share:.0%} of the aim of {AIM_PER_S:,} per process."
        )
        remarks = [aim]
        for row in self.figures:
            if row.losses:
                remarks.append(f"LOST with {row.name}: {row.losses}.")
            if row.generator_cores > NEAR_ITS_LIMIT:
                remarks.append(f"With {row.name} the generator was near its own limit.")
            if row.others_cores > IDLE:
                remarks.append(f"With {row.name} the machine had other work: measure it again.")
        return remarks

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


def _ms(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
