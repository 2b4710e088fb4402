"""The figures of one measurement."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Self

from bench.chat.cases import Case

Window = Mapping[str, Any]  # one of "windows" in the generator's answer, or its "connecting"

NEVER = ("unanswered", "refused", "closed", "room_behind")  # counts that should be 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathering:
    """How everybody came: connected, entered, and heard of all who came after."""

    seconds: float  # until the last client had heard of the last
    server_us: float  # CPU for one connection
    server_kib: float  # resident memory for one connection
    server_rss_mib: float  # before the first
    generator_cores: float

    @classmethod
    def of(cls, connections: int, answer: Mapping[str, Any]) -> Self:
        """Summarise that part of the generator's answer."""
        spent: Window = answer["connecting"]
        before = answer["resident_before"]
        return cls(
            seconds=spent["seconds"],
            server_us=(spent["server_user_s"] + spent["server_system_s"]) / connections * 1e6,
            server_kib=(spent["server_rss_bytes"] - before) / connections / 2**10,
            server_rss_mib=before / 2**20,
            generator_cores=spent["generator_s"] / spent["seconds"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """One case: rates and latencies are medians of the windows, CPU is their sum."""

    case: Case
    acked_per_s: float
    acked_per_s_low: float  # the worst window
    acked_per_s_high: float  # the best window
    ack_p50_ms: float | None  # None: nothing was acked
    ack_p99_ms: float | None
    delivery_p50_ms: float | None  # None: deliveries do not carry their client_id
    delivery_p99_ms: float | None
    deliveries_per_s: float
    server_user_us: float  # CPU for one message: user mode
    server_system_us: float
    delivery_us: float  # the server's CPU for one delivery, with its part of the message
    server_cores: float  # processors kept busy
    generator_cores: float
    others_cores: float  # by everything else on the machine: should be next to nothing
    server_rss_mib: float
    gathering: Gathering
    disk_ms: float  # one small fdatasync, just before
    losses: str  # what was not acked or not delivered; empty if all is well

    @property
    def server_us(self) -> float:
        """Return the server's CPU for one message."""
        return self.server_user_us + self.server_system_us

    @classmethod
    def of(
        cls, case: Case, measured: Mapping[str, Any], *, gathering: Gathering, disk_ms: float
    ) -> Self:
        """Summarise one of the "rounds" in the generator's answer."""
        windows = Windows(measured["windows"])
        acked, seconds = windows.total("acked"), windows.total("seconds")
        user, system = windows.total("server_user_s"), windows.total("server_system_s")
        generator = windows.total("generator_s")
        rates = windows.rates("acked")
        return cls(
            case=case,
            acked_per_s=median(rates),
            acked_per_s_low=min(rates),
            acked_per_s_high=max(rates),
            ack_p50_ms=windows.middle("ack_ms", "p50"),
            ack_p99_ms=windows.middle("ack_ms", "p99"),
            delivery_p50_ms=windows.middle("delivery_ms", "p50"),
            delivery_p99_ms=windows.middle("delivery_ms", "p99"),
            deliveries_per_s=median(windows.rates("deliveries")),
            server_user_us=user / acked * 1e6,
            server_system_us=system / acked * 1e6,
            delivery_us=(user + system) / windows.total("deliveries") * 1e6,
            server_cores=(user + system) / seconds,
            generator_cores=generator / seconds,
            others_cores=(windows.total("machine_s") - user - system - generator) / seconds,
            server_rss_mib=measured["windows"][-1]["server_rss_bytes"] / 2**20,
            gathering=gathering,
            disk_ms=disk_ms,
            losses=losses_of(measured),
        )


class Windows:
    """All windows of a case."""

    def __init__(self, windows: Sequence[Window]) -> None:
        self._windows = windows

    def total(self, name: str) -> float:
        """Return the sum of a value."""
        return float(sum(window[name] for window in self._windows))

    def rates(self, name: str) -> list[float]:
        """Return a count by second, of each window."""
        return [window[name] / window["seconds"] for window in self._windows]

    def middle(self, latency: str, quantile: str) -> float | None:
        """Return the median over the windows in which something arrived."""
        latencies = (window[latency] for window in self._windows)
        found = [of_window[quantile] for of_window in latencies if of_window["count"]]
        return median(found) if found else None


def figures_of(cases: Sequence[Case], answer: Mapping[str, Any], disk_ms: float) -> list[Figures]:
    """Summarise the generator's answer, of which each case is a round."""
    gathering = Gathering.of(cases[-1].connections, answer)
    return [
        Figures.of(case, measured, gathering=gathering, disk_ms=disk_ms)
        for case, measured in zip(cases, answer["rounds"], strict=True)
    ]


def losses_of(measured: Mapping[str, Any]) -> str:
    """Return what one of the "rounds" lost; empty if all is well."""
    losses = [f"{measured[name]} {name}" for name in NEVER if measured[name]]
    missing = measured["expected_deliveries"] - measured["deliveries"]
    if missing:
        losses.append(f"{abs(missing)} deliveries {'missing' if missing > 0 else 'too many'}")
    return ", ".join(losses)
