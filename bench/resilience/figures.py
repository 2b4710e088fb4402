"""What a crowd has heard in the end."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """All clients together, each of which should have every message once and in order."""

    clients: int
    expected: int  # messages that should have arrived, at all clients together
    arrived: int
    twice: int  # shown once more
    late: int  # shown behind a later one

    @classmethod
    def of(cls, answers: Sequence[dict[str, Any]], *, said: int) -> Self:
        """Sum up the answers to ``count``."""
        each = [counts for answer in answers for counts in answer["arrived"]]
        arrived, twice, late = (sum(column) for column in zip(*each, strict=True))
        return cls(
            clients=len(each),
            expected=len(each) * said,
            arrived=arrived,
            twice=twice,
            late=late,
        )

    @property
    def perfect(self) -> bool:
        """Whether nothing is missing, nothing doubled, and all in order."""
        return self.arrived == self.expected and not self.twice and not self.late

    @property
    def cells(self) -> list[str]:
        """Return it for a table with `COLUMNS`."""
        # Rounded down: 100 % is said of what is whole only.
        share = self.arrived * 10_000 // self.expected / 100
        missing = self.expected - self.arrived
        return [f"**{share:.2f} %**", f"{missing:,}", f"{self.twice:,}", f"{self.late:,}"]


COLUMNS = ("arrived", "missing", "twice", "out of order")
