"""``docs/protocol.md`` as data, for the tests that hold it to the code and to a running server.

A section is what stands under a ``###`` heading. Its tables are known by the first cell of
their first line: ``field``, ``ack``, ``error`` and so on.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

PATH = Path(__file__).resolve().parent.parent / "docs" / "protocol.md"


class Field(NamedTuple):
    """A line of a table of fields."""

    name: str
    presence: str  # required or always, else optional
    type: str
    meaning: str


@dataclass
class Section:
    """One heading's text, tables and JSON examples."""

    lines: list[str] = field(default_factory=list[str])

    def table(self, first_cell: str) -> list[list[str]]:
        """Return the lines of a table without its head, [] if there is none."""
        head = f"| {first_cell} |"
        start = next((i for i, line in enumerate(self.lines) if line.startswith(head)), None)
        return [] if start is None else list(_rows(self.lines[start + 2 :]))

    def fields(self, first_cell: str = "field") -> list[Field]:
        """Return a table of fields."""
        return [
            Field(bare(row[0]), row[1], row[2], without_links(row[3]))
            for row in self.table(first_cell)
        ]

    @property
    def rules(self) -> list[str]:
        """Return what cannot be said of one field."""
        return [line for line in self.lines if line.startswith("Rule:")]

    @property
    def examples(self) -> list[Any]:
        """Return the JSON blocks."""
        blocks = re.findall(r"```json\n(.*?)```", "\n".join(self.lines), re.DOTALL)
        return [json.loads(block) for block in blocks]


def read(path: Path = PATH) -> dict[str, dict[str, Section]]:
    """Return sections by ``##`` and ``###`` heading; under "" what has no ``###``."""
    parts: dict[str, dict[str, Section]] = {}
    part, section = "", ""
    for line in path.read_text().splitlines():
        if line.startswith("## "):
            part, section = line[3:], ""
        elif line.startswith("### "):
            section = line[4:]
        else:
            parts.setdefault(part, {}).setdefault(section, Section()).lines.append(line)
    return parts


def bare(cell: str) -> str:
    """Return a cell without its backticks."""
    return cell.strip("`")


def without_links(text: str) -> str:
    """Return text as it reads: of a link what it is called."""
    return re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)


def named(text: str) -> list[str]:
    """Return what stands in backticks."""
    return re.findall(r"`([^`]+)`", text)


def _rows(lines: Sequence[str]) -> Iterator[list[str]]:
    for line in lines:
        if not line.startswith("|"):
            return
        cells = re.split(r"(?<!\\)\|", line)[1:-1]
        yield [cell.strip().replace("\\|", "|") for cell in cells]
