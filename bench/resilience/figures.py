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
    late: int  # shown behind a later one of the same speaker
    orders: int  # in which messages are shown

    @classmethod
    def of(cls, answers: Sequence[dict[str, Any]], *, said: int) -> Self:
        """Sum up the answers to ``count``."""
        each = [counts for answer in answers for counts in answer["arrived"]]
        *counts, orders = zip(*each, strict=True)
        arrived, twice, late = map(sum, counts)
        return cls(
            clients=len(each),
            expected=len(each) * said,
            arrived=arrived,
            twice=twice,
            late=late,
            orders=len(set(orders)),
        )

    @property
    def perfect(self) -> bool:
        """Whether nothing is missing, nothing doubled, and all in order, the same for everybody."""
        in_order = not self.late and self.orders == 1
        return self.arrived == self.expected and not self.twice and in_order

    @property
    def cells(self) -> list[str]:
        """Return it for a table with `COLUMNS`."""
        # Rounded down: 100 % is said of what is whole only.
        share = self.arrived * 10_000 // self.expected / 100
        missing = self.expected - self.arrived
        return [f"**{share:.2f} %**", f"{missing:,}", f"{self.twice:,}", f"{self.late:,}"]


COLUMNS = ("arrived", "missing", "twice", "out of order")
