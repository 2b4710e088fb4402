"""Measure the engine beside Socket.IO on Node.js and beside stock python-socketio."""

import argparse
import sys
from pathlib import Path

from bench import generator, machine, node
from bench.engine.figures import Figures, Run
from bench.engine.report import Report
from bench.engine.scenarios import Programme, Scenario, Schedule, programme
from bench.peers import PEERS, SERVERS, Peer, running

FULL = Schedule(warm_up=1, window=2, windows=3)
QUICK = Schedule(warm_up=0.5, window=1, windows=1)
MOST = 10_000
MOST_QUICKLY = 2_000
ROUNDS = 3


def options(parser: argparse.ArgumentParser) -> None:
    """Add what can be chosen."""
    group = parser.add_argument_group("engine")
    group.add_argument("--rounds", type=int, default=ROUNDS, help=f"default {ROUNDS}")


def run(chosen: argparse.Namespace, out: Path | None) -> bool:
    """Measure, print, write to ``out``; return whether nothing was lost."""
    node.install(SERVERS)
    plan = programme(most=MOST_QUICKLY if chosen.quick else MOST)
    machine.allow_files(plan.files)
    schedule, rounds = (QUICK, 1) if chosen.quick else (FULL, chosen.rounds)
    bench = Bench(schedule, chosen.patience)
    windows = f"{schedule.windows} windows of {schedule.window:g} s"
    report = Report(
        machine=machine.description(),
        schedule=f"Rounds: {rounds}, each with {windows}.",
        plan=plan,
        figures=Figures([bench.round(plan, number) for number in range(rounds)]),
    )
    report.show()
    if out:
        report.write(out)
    return not any(run.losses for run in report.figures.runs)


class Bench:
    """Runs scenarios, each on a new server."""

    def __init__(self, schedule: Schedule, patience: float) -> None:
        self._schedule = schedule
        self._patience = patience
        self._generator = generator.build("engine")

    def round(self, plan: Programme, number: int) -> dict[tuple[Peer, Scenario], Run]:
        """Do everything with everybody; who is first changes from round to round."""
        found: dict[tuple[Peer, Scenario], Run] = {}
        shift = number % len(PEERS)
        for scenario in plan.scenarios:
            for peer in PEERS[shift:] + PEERS[:shift]:
                print(f"round {number + 1}: {scenario.name}, {peer.name} ...", file=sys.stderr)
                machine.wait_until_idle(self._patience)
                found[peer, scenario] = self._run(peer, scenario)
        return found

    def _run(self, peer: Peer, scenario: Scenario) -> Run:
        with running(peer) as server:
            where = ["--port", str(server.port), "--pid", str(server.pid)]
            arguments = [*scenario.arguments(self._schedule), *where]
            return Run.of(peer, scenario, generator.run(self._generator, arguments))
