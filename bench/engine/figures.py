"""The figures of one scenario with one peer."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Self

from bench.engine.scenarios import Coming, Scenario
from bench.peers import Peer

Values = Mapping[str, float]

TINY = 1e-9  # what is short may have cost nothing: the kernel counts CPU in steps


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One scenario, once; which values there are says the function that made them."""

    peer: Peer
    scenario: Scenario
    values: Values
    losses: str = ""  # what was not delivered, or not as sent; empty if all is well

    @classmethod
    def of(cls, peer: Peer, scenario: Scenario, answer: Mapping[str, Any]) -> Self:
        """Summarise the generator's answer."""
        if isinstance(scenario, Coming):
            return cls(peer=peer, scenario=scenario, values=_coming(answer))
        counts = {name: answer[name] for name in ("unanswered", "strange")}
        losses = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
        return cls(peer=peer, scenario=scenario, values=_traffic(answer), losses=losses)


def _traffic(answer: Mapping[str, Any]) -> Values:
    """Rates and latencies are medians of the windows, CPU is their sum; the unit is a message."""
    windows = answer["windows"]
    units = sum(window["units"] for window in windows)
    return {
        "cpu_us": sum(map(_server_s, windows)) / units * 1e6,
        "per_s": median(window["units"] / window["seconds"] for window in windows),
        "p50_ms": median(window["latency_ms"]["p50"] for window in windows),
        "p99_ms": median(window["latency_ms"]["p99"] for window in windows),
        **_cores(windows),
    }


def _coming(answer: Mapping[str, Any]) -> Values:
    """Connecting is measured when the first step has warmed the server up."""
    few, all_ = answer["gathered"]
    came, dropped = all_["clients"] - few["clients"], answer["dropped"]
    before = answer["resident_before"]
    return {
        "connect_us": _server_s(all_) / came * 1e6,
        "per_s": came / all_["seconds"],
        "few_kib": (few["server_rss_bytes"] - before) / few["clients"] / 2**10,
        "all_kib": (all_["server_rss_bytes"] - before) / all_["clients"] / 2**10,
        "drop_ms": _server_s(dropped) * 1e3,
        "before_mib": before / 2**20,
        "after_mib": answer["resident_after"] / 2**20,
        "quiet_s": dropped["seconds"],
        **_cores([all_]),
    }


def _server_s(spent: Mapping[str, Any]) -> float:
    used: float = spent["server_user_s"] + spent["server_system_s"]
    return used


def _cores(spans: Iterable[Mapping[str, Any]]) -> Values:
    """Return how many processors each kept busy, and how much of the server's was the kernel."""
    spans = list(spans)
    seconds = sum(span["seconds"] for span in spans)
    server, generator = sum(map(_server_s, spans)), sum(span["generator_s"] for span in spans)
    machine = sum(span["machine_s"] for span in spans)
    return {
        "server_cores": server / seconds,
        "kernel_share": sum(span["server_system_s"] for span in spans) / max(server, TINY),
        "generator_cores": generator / seconds,
        "others_cores": (machine - server - generator) / seconds,
    }


@dataclass(frozen=True, slots=True)
class Figures:
    """All rounds: peers are compared within a round, then the median round is taken."""

    rounds: Sequence[Mapping[tuple[Peer, Scenario], Run]]

    @property
    def runs(self) -> list[Run]:
        """Return all of all rounds."""
        return [run for runs in self.rounds for run in runs.values()]

    def values(self, peer: Peer, scenario: Scenario) -> Values:
        """Return a peer's medians."""
        runs = [runs[peer, scenario].values for runs in self.rounds]
        return {name: median(run[name] for run in runs) for name in runs[0]}

    def ratio(self, of: tuple[Peer, Scenario, str], to: tuple[Peer, Scenario, str]) -> float:
        """Return the median ratio of two values of one round."""
        return median(_value(runs, *of) / max(_value(runs, *to), TINY) for runs in self.rounds)


def _value(
    runs: Mapping[tuple[Peer, Scenario], Run], peer: Peer, scenario: Scenario, name: str
) -> float:
    return runs[peer, scenario].values[name]
