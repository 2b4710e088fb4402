"""Tables on the terminal and in Markdown, and JSON that a person can read too."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table as RichTable

WIDTH = 120  # where it is not a terminal that says how wide it is


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under a title; ``**`` around a cell makes it bold in Markdown."""

    title: str
    headers: Sequence[str]
    rows: Sequence[Sequence[str]]

    @property
    def markdown(self) -> list[str]:
        """Return its lines, without the title."""
        ruler = [":---", *("---:" for _ in self.headers[1:])]
        return ["| " + " | ".join(row) + " |" for row in (self.headers, ruler, *self.rows)]

    def section(self, level: int) -> list[str]:
        """Return its lines as a section of a document."""
        return ["", f"{'#' * level} {self.title}", "", *self.markdown]

    @property
    def rich(self) -> RichTable:
        """Return it for the terminal."""
        table = RichTable(title=self.title, title_justify="left", title_style="bold")
        for number, header in enumerate(self.headers):
            table.add_column(header, justify="right" if number else "left")
        for row in self.rows:
            table.add_row(*(cell.replace("**", "") for cell in row))
        return table


def show(parts: Iterable[Table | str]) -> None:
    """Print tables and remarks for a person."""
    console = Console()
    if not console.is_terminal:
        console.width = WIDTH
    for part in parts:
        console.print(f"- {part}" if isinstance(part, str) else part.rich)


def write_json(path: Path, value: Any) -> None:
    """Write ``value`` with as many digits as mean something."""
    exact = json.dumps(value)
    rounded = json.loads(exact, parse_float=lambda text: round(float(text), 4))
    path.write_text(json.dumps(rounded, indent=1, ensure_ascii=False) + "\n")
