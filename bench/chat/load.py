"""One load of one server, by the generator in bench/load/chat."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench import generator
from bench.paths import Unusable

if TYPE_CHECKING:
    from bench.chat.server import Server


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """How long a case is measured, in seconds."""

    warm_up: float
    window: float
    windows: int

    @property
    def measured(self) -> float:
        """All windows together."""
        return self.window * self.windows


def load(
    program: Path,
    plan: Path,
    servers: "Sequence[Server]",
    schedule: Schedule,
    *,
    senders: Sequence[int],
    interval_s: float = 0,
    on_measuring: Callable[[], None],
    on_measured: Callable[[], None] | None = None,
) -> dict[str, Any]:
    """Load ``servers`` by ``plan``; return what the generator measured, of the first one's CPU.

    Args:
        senders: How many of the plan's send, in one round after the other.
        interval_s: Between the messages of each; 0: the next follows the ack of the last.
        on_measuring: Is called when a warm-up is over.
        on_measured: Is called when the windows after it are over.

    Raises:
        Unusable: It could not join everybody, or nothing was acked.
    """
    arguments: list[str | Path] = [
        "--host", servers[0].host, "--port", ",".join(str(server.port) for server in servers),
        "--pid", str(servers[0].pid),
        "--plan", plan, "--warm-up", str(schedule.warm_up),
        "--window", str(schedule.window), "--windows", str(schedule.windows),
        "--senders", ",".join(map(str, senders)), "--interval", str(interval_s),
    ]  # fmt: skip
    answer = generator.run(program, arguments, on_measuring=on_measuring, on_measured=on_measured)
    if not all(any(w["acked"] for w in measured["windows"]) for measured in answer["rounds"]):
        raise Unusable(f"nothing was acked: {answer}")
    return answer
