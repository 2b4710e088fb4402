"""Break the network, and kill the server, under a crowd of clients; see what they miss."""

import argparse
import asyncio
import sys
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

from bench import machine, node
from bench.peers import SERVERS
from bench.rendering import Table, show, write_json
from bench.resilience.avalanche import Avalanche, avalanche
from bench.resilience.avalanche import Result as Survived
from bench.resilience.figures import COLUMNS
from bench.resilience.houses import House, houses
from bench.resilience.jitter import Jitter, jitter
from bench.resilience.jitter import Result as Jittered
from dev.tree import WEB

SPARE_FILES = 500
H = TypeVar("H")  # how it is done
R = TypeVar("R")

BEHIND_A_NETWORK = 4  # files of its process: a client's socket, two there, and a listener


def options(parser: argparse.ArgumentParser) -> None:
    """Add what can be chosen."""
    group = parser.add_argument_group("jitter, avalanche")
    group.add_argument("--clients", type=int, help="default 500 and 5,000")
    group.add_argument("--seconds", type=float, help="of jitter, default 60")
    group.add_argument("--processes", type=int, default=2, help="with clients, default 2")
    group.add_argument(
        "--polling", action="store_true", help="avalanche: begin with polling, as clients do"
    )
    group.add_argument("--only", help="houses whose name has this")


def run_jitter(chosen: argparse.Namespace, out: Path | None) -> bool:
    """Measure, print, write to ``out``; return whether Parley lost nothing."""
    how = Jitter(
        clients=chosen.clients or (100 if chosen.quick else 500),
        processes=chosen.processes,
        seconds=chosen.seconds or (20 if chosen.quick else 60),
    )
    files = BEHIND_A_NETWORK * how.clients // how.processes
    results = [_do(jitter, how, house) for house in _houses(chosen, files)]
    title = (
        f"Jitter: {how.clients:,} clients, cut off for {how.off_s:g} s after about {how.on_s:g} s, "
        f"{how.said:,} messages in {how.seconds:g} s"
    )
    headers = ["", "cuts", *COLUMNS]
    rows = [[result.house, f"{result.cuts:,}", *result.heard.cells] for result in results]
    _tell("jitter", Table(title, headers, rows), results, out)
    return all(result.heard.perfect for result in results if result.house == "Parley")


def run_avalanche(chosen: argparse.Namespace, out: Path | None) -> bool:
    """Measure, print, write to ``out``; return whether Parley lost nothing."""
    how = Avalanche(
        clients=chosen.clients or (500 if chosen.quick else 5_000),
        processes=chosen.processes,
        transports=("polling", "websocket") if chosen.polling else ("websocket",),
    )
    files = how.clients * len(how.transports)  # of the server
    results = [_do(avalanche, how, house) for house in _houses(chosen, files)]
    title = (
        f"Avalanche: {how.clients:,} clients, the process killed and started again, "
        f"{how.said:,} messages"
    )
    headers = [
        "", "listens again, s", "half are back, s", "all are back, s",
        "server CPU, s", "clients' CPU, s", "back", *COLUMNS,
    ]  # fmt: skip
    _tell("avalanche", Table(title, headers, list(map(_row, results))), results, out)
    return all(result.heard.perfect for result in results if result.house == "Parley")


def _houses(chosen: argparse.Namespace, files: int) -> Sequence[House]:
    for folder in (SERVERS, WEB):
        node.install(folder)
    machine.allow_files(files + SPARE_FILES)
    return [house for house in houses(chosen.parley) if (chosen.only or "") in house.name]


def _do(what: Callable[[House, H], Coroutine[Any, Any, R]], how: H, house: House) -> R:
    print(f"{what.__name__}: {house.name} ...", file=sys.stderr)
    return asyncio.run(what(house, how))


def _row(result: Survived) -> list[str]:
    times = (result.started_s, result.half_s, result.all_s)
    seconds = ["never" if time is None else f"{time:.1f}" for time in times]
    spent = [f"{time:.1f}" for time in (result.server_s, result.clients_s)]
    return [result.house, *seconds, *spent, f"{result.back:,}", *result.heard.cells]


def _tell(
    name: str, table: Table, results: Sequence[Jittered] | Sequence[Survived], out: Path | None
) -> None:
    show([table])
    if out is None:
        return
    out.mkdir(parents=True, exist_ok=True)
    about = machine.description()
    rows = [asdict(result) for result in results]
    write_json(out / f"{name}.json", {"machine": about, "about": table.title, "results": rows})
    lines = [
        f"# {table.title}",
        "",
        "Written by `make bench`; [how to read it](../README.md).",
        f"{about['cores']} cores of {about['cpu']}, Python {about['python']}.",
        "",
        *table.markdown,
    ]
    (out / f"{name}.md").write_text("\n".join(lines) + "\n")
