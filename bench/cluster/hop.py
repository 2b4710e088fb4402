"""The hop of the engine alone, beside Socket.IO: no storage, one room, a member on each node."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench import generator
from bench.chat.load import Schedule
from bench.cluster.services import Meter
from bench.peers import NODE, OURS, Peer, running
from tests.redis_server import RedisServer

IN_FLIGHT = (1, 16)
MEMBERS = 2
PEERS = (NODE, OURS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """One peer with so many messages in flight."""

    peer: str
    nodes: int  # 1: no Redis
    in_flight: int
    messages_per_s: float
    p50_ms: float  # of deliveries
    p99_ms: float
    cpu_us: Mapping[str, float]  # for one message, by process
    losses: str

    @property
    def total_us(self) -> float:
        """Return what a message costs all of them."""
        return sum(self.cpu_us.values())


def hops(redis: RedisServer, schedule: Schedule) -> list[Hop]:
    """Measure everybody with and without a second node."""
    program = generator.build("engine")
    return [
        _hop(program, peer, redis, nodes, in_flight, schedule)
        for in_flight in IN_FLIGHT
        for nodes in (1, 2)
        for peer in PEERS
    ]


def _hop(
    program: Path, peer: Peer, redis: RedisServer, nodes: int, in_flight: int, schedule: Schedule
) -> Hop:
    options = [redis.url] if nodes > 1 else []
    with ExitStack() as stack:
        servers = [stack.enter_context(running(peer, *options)) for _ in range(nodes)]
        processes = {f"node {n}": server.pid for n, server in enumerate(servers, 1)}
        meter = Meter(processes | ({"Redis": redis.pid} if nodes > 1 else {}))
        arguments: Sequence[str] = [
            "broadcast", "--clients", str(MEMBERS), "--in-flight", str(in_flight),
            "--warm-up", str(schedule.warm_up), "--window", str(schedule.window),
            "--windows", str(schedule.windows), "--pid", str(servers[0].pid),
            "--port", ",".join(str(server.port) for server in servers),
        ]  # fmt: skip
        answer = generator.run(program, arguments, on_measuring=meter.begin, on_measured=meter.end)
    windows = answer["windows"]
    messages = sum(window["units"] for window in windows) / MEMBERS
    counts = {name: answer[name] for name in ("unanswered", "strange")}
    return Hop(
        peer=peer.name,
        nodes=nodes,
        in_flight=in_flight,
        messages_per_s=median(w["units"] / MEMBERS / w["seconds"] for w in windows),
        p50_ms=median(window["latency_ms"]["p50"] for window in windows),
        p99_ms=median(window["latency_ms"]["p99"] for window in windows),
        cpu_us={name: cpu / messages * 1e6 for name, cpu in meter.used.items()},
        losses=", ".join(f"{count} {name}" for name, count in counts.items() if count),
    )
