"""The figures of one setting."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Self

from bench.chat.figures import Windows, losses_of
from bench.cluster.cases import Setting

Answer = Mapping[str, Any]  # of the generator


@dataclass(frozen=True, slots=True, kw_only=True)
class OfNode:
    """What the senders of one node saw."""

    acked_per_s: float
    ack_p50_ms: float | None
    ack_p99_ms: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Rates and latencies are medians of the windows, CPU is their sum."""

    setting: Setting
    acked_per_s: float
    ack_p50_ms: float | None  # None: nothing was acked
    ack_p99_ms: float | None
    delivery_p50_ms: float | None
    delivery_p99_ms: float | None
    deliveries_per_s: float
    nodes: Sequence[OfNode]  # those with senders
    cpu_us: Mapping[str, float]  # for one message, by process
    cores: Mapping[str, float]  # that each process kept busy
    generator_cores: float
    others_cores: float  # by everything else on the machine: should be next to nothing
    losses: str  # what was not acked or not delivered; empty if all is well

    @classmethod
    def of(cls, setting: Setting, answer: Answer, used: Mapping[str, float]) -> Self:
        """Summarise the only round of the generator's answer.

        Args:
            used: Processor time of each process, in seconds, over all windows.
        """
        (measured,) = answer["rounds"]
        windows = Windows(measured["windows"])
        acked, seconds = windows.total("acked"), windows.total("seconds")
        generator = windows.total("generator_s")
        others = windows.total("machine_s") - generator - sum(used.values())
        return cls(
            setting=setting,
            acked_per_s=median(windows.rates("acked")),
            ack_p50_ms=windows.middle("ack_ms", "p50"),
            ack_p99_ms=windows.middle("ack_ms", "p99"),
            delivery_p50_ms=windows.middle("delivery_ms", "p50"),
            delivery_p99_ms=windows.middle("delivery_ms", "p99"),
            deliveries_per_s=median(windows.rates("deliveries")),
            nodes=_nodes(measured["windows"]),
            cpu_us={name: cpu / acked * 1e6 for name, cpu in used.items()},
            cores={name: cpu / seconds for name, cpu in used.items()},
            generator_cores=generator / seconds,
            others_cores=others / seconds,
            losses=losses_of(measured),
        )

    @property
    def servers_us(self) -> float:
        """Return what a message costs all nodes and Redis, but not MongoDB."""
        return sum(cpu for name, cpu in self.cpu_us.items() if name != "mongod")


def _nodes(windows: Sequence[Answer]) -> list[OfNode]:
    by_node = [[window["nodes"][n] | {"seconds": window["seconds"]} for window in windows]
               for n in range(len(windows[0]["nodes"]))]  # fmt: skip
    found = map(Windows, by_node)
    return [
        OfNode(
            acked_per_s=median(of_node.rates("acked")),
            ack_p50_ms=of_node.middle("ack_ms", "p50"),
            ack_p99_ms=of_node.middle("ack_ms", "p99"),
        )
        for of_node in found
        if of_node.total("acked")
    ]
