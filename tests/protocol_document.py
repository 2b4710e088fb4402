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
        return [Field(bare(row[0]), row[1], row[2]) for row in self.table(first_cell)]

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


def named(text: str) -> list[str]:
    """Return what stands in backticks."""
    return re.findall(r"`([^`]+)`", text)


def _rows(lines: Sequence[str]) -> Iterator[list[str]]:
    for line in lines:
        if not line.startswith("|"):
            return
        cells = re.split(r"(?<!\\)\|", line)[1:-1]
        yield [cell.strip().replace("\\|", "|") for cell in cells]


_TYPES = {
    "string": str,
    "http(s) URL": str,
    "integer": int,
    "position": int,
    "boolean": bool,
    "object": dict,
}


class Shapes:
    """Holds values that a server sent to the types of the document, and notes what it saw."""

    def __init__(self, document: dict[str, dict[str, Section]]) -> None:
        shapes = document["Shapes"]
        scalars = shapes[""].table("type")
        self._patterns = {row[0]: bare(row[1]) for row in scalars if row[0] != "position"}
        self.fields = {name.lower(): part.fields() for name, part in shapes.items() if name}
        self._notices = document["Events the server sends"]
        self.fields["error"] = document["Events and acks"]["Error"].fields()
        rooms = document["Events a client sends"]["rooms"]
        self.fields["room summary"] = rooms.fields("room summary")
        self.seen: set[str] = set()

    def check(self, value: Any, kind: str, where: str) -> None:
        """Raise `AssertionError` unless ``value`` is of the type ``kind``, limits aside."""
        if kind.startswith("`"):
            assert value in named(kind), f"{where}: {value!r} is not one of {kind}"
        elif ", " in kind:
            self.check(value, kind.partition(", ")[0], where)
        elif " or null" in kind and value is None:
            return
        elif kind.startswith("object of "):
            self._check_object(value, kind.removeprefix("object of "), where)
        elif kind.startswith("list of "):
            self._check_list(value, kind.removeprefix("list of "), where)
        elif kind in self.fields:
            self.check_fields(value, self.fields[kind], kind)
            if kind == "message":
                self._check_content(value)
        else:
            self._check_scalar(value, kind, where)

    def check_fields(self, value: Any, fields: Sequence[Field], where: str) -> None:
        """Raise `AssertionError` unless ``value`` has these fields and no others."""
        if where == "room sync" and value["state"] in ("denied", "gone"):
            assert len(value) == 1, f"{where}: {value}"
            return
        kinds = {f.name: f.type for f in fields}
        assert set(value) <= set(kinds), f"{where}: not documented: {set(value) - set(kinds)}"
        missing = {f.name for f in fields if f.presence == "always"} - set(value)
        assert not missing, f"{where}: documented, and missing: {missing}"
        for name, inner in value.items():
            self.seen.add(f"{where}.{name}")
            self.check(inner, kinds[name], f"{where}.{name}")

    def _check_content(self, message: dict[str, Any]) -> None:
        kind, content = message["type"], message["content"]
        if "deleted" in message:
            assert content == {}, message
        elif fields := self._notices[kind].fields("field of `content`"):
            self.check_fields(content, fields, f"{kind} content")
        else:
            self.check(content, "content", kind)

    def _check_list(self, items: list[Any], plural: str, where: str) -> None:
        assert isinstance(items, list), f"{where}: {items!r} is no list"
        for item in items:
            self.check(item, self._singular(plural), f"{where}[]")

    def _check_object(self, value: Any, kinds: str, where: str) -> None:
        key_kind, _, value_kind = kinds.partition(" → ")
        for key, inner in value.items():
            self.check(key, key_kind, where)
            self.check(inner, value_kind, where)

    def _check_scalar(self, value: Any, kind: str, where: str) -> None:
        if kind in self._patterns:
            fits = isinstance(value, str) and re.fullmatch(self._patterns[kind], value) is not None
        else:
            fits = type(value) is _TYPES[kind]
        assert fits, f"{where}: {value!r} is no {kind}"

    def _singular(self, plural: str) -> str:
        if plural.endswith("ies"):
            return plural[:-3] + "y"
        return plural[:-1]
