"""What presence costs while people come and go: CPU, messages, memory."""

import argparse
import asyncio
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import uvloop

from bench import machine
from bench.chat.server import serving
from bench.machine import cpu_s, resident_mib
from bench.paths import scratch
from bench.presence.crowd import FOLLOWED, Crowd
from bench.rendering import Table, show, write_json
from parley.server.auth import TokenMint
from parley.server.keys import KeyRing, SigningKey

SPARE_FILES = 500
PAUSE_S = 25  # away for longer than the grace, so that each going is told
TICKS = 10  # a second
FALSE_GROWTH = 0.05  # of memory, over the second half; more is a leak


@dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """How it is done."""

    online: int
    per_s: int  # come and go
    seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A quarter of the time."""

    changes_per_s: float  # comings and goings
    messages_per_s: float  # events of presence, at all clients together
    cores: float  # of the server
    resident_mib: float


def options(parser: argparse.ArgumentParser) -> None:
    """Add what can be chosen."""
    group = parser.add_argument_group("presence")
    group.add_argument("--online", type=int, help="users, default 10,000")
    group.add_argument("--churn", type=int, help="who come and go a second, default 200")
    group.add_argument("--churn-seconds", type=int, help="default 120")


def run(chosen: argparse.Namespace, out: Path | None) -> bool:
    """Measure, print, write to ``out``; return whether nobody was lost and nothing grows."""
    how = How(
        online=chosen.online or (1_000 if chosen.quick else 10_000),
        per_s=chosen.churn or (20 if chosen.quick else 200),
        seconds=chosen.churn_seconds or (40 if chosen.quick else 120),
    )
    machine.allow_files(how.online + how.per_s + SPARE_FILES)
    print(f"presence: {how.online:,} users ...", file=sys.stderr)
    with scratch("presence") as folder:
        idle, gathering_s, windows, lost = uvloop.run(_measure(how, chosen.parley, folder))
    title = (
        f"Presence: {how.online:,} users online, {how.per_s:,} coming and {how.per_s:,} going a "
        f"second, each follows {FOLLOWED}"
    )
    headers = ["", "changes/s", "messages/s", "server, cores", "CPU a message, µs", "memory, MiB"]
    rows = [["all here, at rest", "", "", "", "", f"{idle:.0f}"]]
    rows += [_row(number, window) for number, window in enumerate(windows, 1)]
    table = Table(title, headers, rows)
    show([table, f"All were here after {gathering_s:.1f} s; {lost} connections were lost."])
    if out is not None:
        results = {"idle_mib": idle, "lost": lost, "windows": [asdict(each) for each in windows]}
        _write(out, table, {"how": asdict(how), **results})
    grown = windows[-1].resident_mib / windows[len(windows) // 2 - 1].resident_mib - 1
    return not lost and grown <= FALSE_GROWTH


def _write(out: Path, table: Table, results: dict[str, Any]) -> None:
    out.mkdir(parents=True, exist_ok=True)
    about = machine.description()
    written = {"machine": about, "about": table.title, **results}
    write_json(out / "presence.json", written)
    lines = [
        f"# {table.title}",
        "",
        "Written by `make bench`; [how to read it](../README.md).",
        f"{about['cores']} cores of {about['cpu']}, Python {about['python']}.",
        "",
        *table.markdown,
    ]
    (out / "presence.md").write_text("\n".join(lines) + "\n")


async def _measure(how: How, parley: Path, folder: Path) -> tuple[float, float, list[Window], int]:
    key = SigningKey.generate()
    with serving(parley, folder, key) as server:
        away = how.per_s * PAUSE_S
        crowd = Crowd(server, TokenMint(KeyRing((key,))), online=how.online, away=away)
        began = time.monotonic()
        await crowd.gather()
        gathering_s = time.monotonic() - began
        idle = resident_mib(server.pid)
        await _churn(crowd, how, how.seconds / 8)  # until goings are told as often as comings
        windows = [await _window(crowd, how, server.pid) for _ in range(4)]
        return idle, gathering_s, windows, crowd.heard["@lost"]


async def _window(crowd: Crowd, how: How, pid: int) -> Window:
    told, came, spent, began = _told(crowd), crowd.came, cpu_s(pid), time.monotonic()
    await _churn(crowd, how, how.seconds / 4)
    seconds = time.monotonic() - began
    return Window(
        changes_per_s=2 * (crowd.came - came) / seconds,
        messages_per_s=(_told(crowd) - told) / seconds,
        cores=(cpu_s(pid) - spent) / seconds,
        resident_mib=resident_mib(pid),
    )


async def _churn(crowd: Crowd, how: How, seconds: float) -> None:
    loop = asyncio.get_running_loop()
    begins = loop.time()
    for tick in range(round(seconds * TICKS)):
        # Those that are due, also after a late tick; what is left over of a tick adds up.
        due = how.per_s * (tick + 1) // TICKS - how.per_s * tick // TICKS
        await crowd.turn_over(due)
        await asyncio.sleep(begins + (tick + 1) / TICKS - loop.time())


def _told(crowd: Crowd) -> int:
    return sum(count for name, count in crowd.heard.items() if not name.startswith("@"))


def _row(number: int, window: Window) -> list[str]:
    return [
        f"quarter {number}",
        f"{window.changes_per_s:,.0f}",
        f"{window.messages_per_s:,.0f}",
        f"**{window.cores:.2f}**",
        f"{window.cores / window.messages_per_s * 1e6:.1f}",
        f"{window.resident_mib:.0f}",
    ]
