"""The tables of the report: which figures stand in which line."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bench.chat.cases import Case
from bench.chat.figures import Figures
from bench.rendering import Table

FEW = 100  # below, a rate has a decimal

Cell = Callable[[Figures], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """A line that compares a figure with that of another case."""

    label: str
    value: Callable[[Figures], float]
    other: Callable[[Case], Case]


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table: a case in each column."""

    title: str
    lines: Sequence[tuple[str, Cell] | Ratio]
    figures: Mapping[Case, Figures]

    @property
    def table(self) -> Table:
        """Return it as it is shown."""
        headers = ["senders", *(f"{case.senders}" for case in self.figures)]
        return Table(self.title, headers, [self._row(line) for line in self.lines])

    def _row(self, line: tuple[str, Cell] | Ratio) -> list[str]:
        columns = self.figures.values()
        if isinstance(line, Ratio):
            return [line.label, *(self._compared(line, column) for column in columns)]
        label, cell = line
        return [label, *(cell(column) for column in columns)]

    def _compared(self, ratio: Ratio, figures: Figures) -> str:
        other = ratio.other(figures.case)
        if other == figures.case:
            return "–"
        return f"**{ratio.value(figures) / ratio.value(self.figures[other]):.2f}**"


def rate(value: float) -> str:
    """Return a rate as it is shown."""
    return f"{value:,.0f}" if value >= FEW else f"{value:.1f}"


def ms(value: float | None) -> str:
    """Return a latency as it is shown."""
    return "–" if value is None else f"{value:.2f}"


RATE: Sequence[tuple[str, Cell]] = (
    ("**acked per second**", lambda f: f"**{rate(f.acked_per_s)}**"),
    ("worst–best window", lambda f: f"{rate(f.acked_per_s_low)}–{rate(f.acked_per_s_high)}"),
    ("ack p50, ms", lambda f: ms(f.ack_p50_ms)),
    ("ack p99, ms", lambda f: ms(f.ack_p99_ms)),
    ("delivery p50, ms", lambda f: ms(f.delivery_p50_ms)),
    ("delivery p99, ms", lambda f: ms(f.delivery_p99_ms)),
    ("deliveries per second", lambda f: f"{f.deliveries_per_s:,.0f}"),
    ("server CPU per message, µs", lambda f: f"{f.server_us:,.0f}"),
)

LOAD: Sequence[tuple[str, Cell]] = (
    ("server, cores", lambda f: f"{f.server_cores:.2f}"),
    ("generator, cores", lambda f: f"{f.generator_cores:.2f}"),
    ("all else, cores", lambda f: f"{f.others_cores:.2f}"),
    ("server memory, MiB", lambda f: f"{f.server_rss_mib:,.0f}"),
)

MESSAGES: Sequence[tuple[str, Cell] | Ratio] = (
    ("sent over", lambda f: "HTTP" if f.case.http else "socket"),
    ("rooms × members", lambda f: f"{f.case.rooms} × {f.case.members}"),
    ("how fast", lambda f: f"{f.case.per_s:,} a second" if f.case.per_s else "as acked"),
    *RATE,
    ("– in user mode", lambda f: f"{f.server_user_us:,.0f}"),
    ("– in the kernel", lambda f: f"{f.server_system_us:,.0f}"),
    Ratio(
        label="– HTTP / socket",
        value=lambda f: f.server_us,
        other=lambda case: case.over_socket,
    ),
    *LOAD,
    ("disk commit, ms", lambda f: f"{f.disk_ms:.2f}"),
)

BIG_ROOMS: Sequence[tuple[str, Cell] | Ratio] = (
    ("members", lambda f: f"{f.case.members:,}"),
    ("watchers", lambda f: f"{f.case.watchers:,}"),
    *RATE,
    ("server CPU per delivery, µs", lambda f: f"{f.delivery_us:.1f}"),
    Ratio(
        label="– / room of 50",
        value=lambda f: f.delivery_us,
        other=lambda case: case.small,
    ),
    *LOAD,
    ("everybody in, s", lambda f: f"{f.gathering.seconds:.1f}"),
    ("– server CPU per connection, µs", lambda f: f"{f.gathering.server_us:,.0f}"),
    ("– server memory before, MiB", lambda f: f"{f.gathering.server_rss_mib:.0f}"),
    ("– grown per connection, KiB", lambda f: f"{f.gathering.server_kib:.0f}"),
    ("– generator, cores", lambda f: f"{f.gathering.generator_cores:.2f}"),
)
