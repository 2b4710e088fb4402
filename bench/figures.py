"""What is measured, and the figures of one measurement."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any, Self

Window = Mapping[str, Any]  # one entry of "windows" in the generator's answer

NEVER = ("unanswered", "refused", "closed", "room_behind")  # counts that should be 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """So many senders, spread evenly over so many rooms; every member is connected."""

    senders: int
    rooms: int
    room_size: int = 50

    @property
    def clients(self) -> int:
        """Return how many connections there are, those of the senders included."""
        return self.rooms * self.room_size

    @property
    def name(self) -> str:
        """Return what the case is called in a sentence."""
        return _name(self.senders, self.rooms)

    def senders_in(self, room: int) -> int:
        """Return how many of the room's members send."""
        return self.senders // self.rooms + (room < self.senders % self.rooms)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """One case: rates and latencies are medians of the windows, CPU is their sum."""

    senders: int
    rooms: int
    clients: int
    acked_per_s: float
    acked_per_s_low: float  # the worst window
    acked_per_s_high: float  # the best window
    ack_p50_ms: float
    ack_p99_ms: float
    delivery_p50_ms: float | None  # None: deliveries do not carry their client_id
    delivery_p99_ms: float | None
    deliveries_per_s: float
    server_user_us: float  # CPU for one message: user mode
    server_system_us: float
    server_cores: float  # processors kept busy
    generator_cores: float
    others_cores: float  # by everything else on the machine: should be next to nothing
    server_rss_mib: float
    disk_ms: float  # one small fdatasync, just before
    losses: str  # what was not acked or not delivered; empty if all is well

    @property
    def name(self) -> str:
        """Return what the case is called in a sentence."""
        return _name(self.senders, self.rooms)

    @property
    def server_us(self) -> float:
        """Return the server's CPU for one message."""
        return self.server_user_us + self.server_system_us

    @classmethod
    def of(cls, case: Case, answer: Mapping[str, Any], disk_ms: float) -> Self:
        """Summarise the generator's answer."""
        windows: list[Window] = answer["windows"]
        rates = [window["acked"] / window["seconds"] for window in windows]

        def middle(value: Callable[[Window], float]) -> float:
            return median(value(window) for window in windows)

        def total(name: str) -> float:
            return float(sum(window[name] for window in windows))

        server = total("server_user_s") + total("server_system_s")
        delivered = all(window["delivery_ms"]["count"] for window in windows)
        return cls(
            senders=case.senders,
            rooms=case.rooms,
            clients=case.clients,
            acked_per_s=median(rates),
            acked_per_s_low=min(rates),
            acked_per_s_high=max(rates),
            ack_p50_ms=middle(lambda w: w["ack_ms"]["p50"]),
            ack_p99_ms=middle(lambda w: w["ack_ms"]["p99"]),
            delivery_p50_ms=middle(lambda w: w["delivery_ms"]["p50"]) if delivered else None,
            delivery_p99_ms=middle(lambda w: w["delivery_ms"]["p99"]) if delivered else None,
            deliveries_per_s=middle(lambda w: w["deliveries"] / w["seconds"]),
            server_user_us=total("server_user_s") / total("acked") * 1e6,
            server_system_us=total("server_system_s") / total("acked") * 1e6,
            server_cores=server / total("seconds"),
            generator_cores=total("generator_s") / total("seconds"),
            others_cores=(total("machine_s") - server - total("generator_s")) / total("seconds"),
            server_rss_mib=windows[-1]["server_rss_bytes"] / 2**20,
            disk_ms=disk_ms,
            losses=_losses(answer),
        )


def _losses(answer: Mapping[str, Any]) -> str:
    losses = [f"{answer[name]} {name}" for name in NEVER if answer[name]]
    missing = answer["expected_deliveries"] - answer["deliveries"]
    if missing:
        losses.append(f"{abs(missing)} deliveries {'missing' if missing > 0 else 'too many'}")
    return ", ".join(losses)


def _name(senders: int, rooms: int) -> str:
    return f"{senders} sender{'s' * (senders > 1)} in {rooms} room{'s' * (rooms > 1)}"
