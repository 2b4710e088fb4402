"""Reads the grid of `rights`."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Self

KINDS = ("public", "unlisted", "private", "group", "direct")
ACTORS = (
    *("owner", "admin", "member", "muted admin", "muted member"),
    *("invited", "pending", "banned", "stranger"),
)
TARGETS = ("owner", "admin", "member", "invited", "pending", "banned", "stranger", "self")
NOBODY = "."
ANYTHING = "anything"

_IN_DIRECT = {"member", "stranger", "self"}
_HEAD = re.compile(
    r"\[(?P<actions>[^|]+?)(?: \| in (?P<kinds>[^|]+?))?(?: \| if (?P<setting>\w+))?\]"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """Somebody does something, to somebody perhaps, in a room of a kind under a setting."""

    action: str
    kind: str
    setting: str  # "" where there is none
    actor: str
    target: str | None
    expected: str = ""

    @property
    def possible(self) -> bool:
        """Whether there are such people in such a room."""
        people = {self.actor, self.target or self.actor}
        return self.kind != "direct" or (not self.setting and people <= _IN_DIRECT)

    def __str__(self) -> str:
        target = f" to {self.target}" if self.target else ""
        return f"{self.action} by {self.actor}{target} in {self.kind} {self.setting}".rstrip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A part of the grid with a headline of its own."""

    actions: Sequence[str]
    kinds: Sequence[str]
    setting: str
    cells: Mapping[tuple[str, str], str]  # by actor and column

    @classmethod
    def read(cls, head: str, columns: str, rows: Iterable[str]) -> Self:
        """Return the block that these lines say."""
        found = _HEAD.fullmatch(head)
        assert found is not None, head
        return cls(
            actions=_listed(found["actions"]),
            kinds=_listed(found["kinds"] or ", ".join(KINDS)),
            setting=found["setting"] or "",
            cells=dict(_cells(columns.split(), rows)),
        )

    def says(self, cell: Cell) -> str | None:
        """Return what is expected of a cell; None: that stands elsewhere."""
        if cell.kind not in self.kinds or self.setting not in ("", cell.setting):
            return None
        by_target = self.cells.get((cell.actor, cell.target or ""))
        return by_target or self.cells.get((cell.actor, cell.kind))


class Grid:
    """All of it."""

    def __init__(self, text: str) -> None:
        """Read ``text``; what stands there twice or nowhere is an error."""
        lines = [line for line in text.splitlines() if line and not line.startswith("#")]
        starts = [n for n, line in enumerate(lines) if line.startswith("[")]
        ends = [*starts[1:], len(lines)]
        self._blocks = [
            Block.read(lines[start], lines[start + 1], lines[start + 2 : end])
            for start, end in zip(starts, ends, strict=True)
        ]
        actions = (action for block in self._blocks for action in block.actions)
        self.actions = tuple(dict.fromkeys(a for a in actions if a != ANYTHING))
        self.settings = tuple(dict.fromkeys(["", *(block.setting for block in self._blocks)]))

    def cells(self, action: str) -> Iterator[Cell]:
        """Yield everything that can be asked about one action."""
        columns = {column for block in self._of(action) for _, column in block.cells}
        targets = TARGETS if "self" in columns else (None,)
        for setting, kind, actor, target in product(self.settings, KINDS, ACTORS, targets):
            asked = Cell(action=action, kind=kind, setting=setting, actor=actor, target=target)
            yield from self._answered(asked)

    def _answered(self, cell: Cell) -> Iterator[Cell]:
        if not cell.possible:
            return
        own = self._of(cell.action)
        ranks = [
            [block for block in own if block.setting],
            [block for block in own if not block.setting],
            self._of(ANYTHING),
        ]
        for blocks in ranks:
            said = {answer for block in blocks if (answer := block.says(cell)) is not None}
            if said:
                (expected,) = said  # two blocks that differ contradict one another
                if expected != NOBODY:
                    yield replace(cell, expected=expected)
                return
        raise AssertionError(f"the grid does not say: {cell}")

    def _of(self, action: str) -> list[Block]:
        return [block for block in self._blocks if action in block.actions]


def _listed(text: str) -> list[str]:
    return [word.strip() for word in text.split(",")]


def _cells(columns: Sequence[str], rows: Iterable[str]) -> Iterator[tuple[tuple[str, str], str]]:
    for row in rows:
        label, *rest = re.split(r"\s{2,}", row, maxsplit=1)
        words = rest[0].split()
        if len(words) == 1:
            words = words * len(columns)
        for actor in _listed(label):
            assert actor in ACTORS, row
            for column, word in zip(columns, words, strict=True):
                yield (actor, column), word
