"""Many clients in Node.js processes, driven over their stdin and stdout (crowd.mjs)."""

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import node
from bench.machine import cpu_s
from bench.paths import BENCH, Unusable

PROGRAM = BENCH / "resilience" / "crowd.mjs"
LONGEST_LINE = 16 * 2**20  # bytes
PATIENCE_S = 600  # with one command; each has its own, shorter

Answer = dict[str, Any]
Person = dict[str, Any]  # "user", "token" and "rooms"; Socket.IO alone looks at none of them


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Who connects where."""

    kind: str  # of client: "parley" or "socketio"
    ports: Sequence[int]  # who is cut off comes back by the next one
    speakers: Sequence[Person]  # who are never cut off, and not counted
    people: Sequence[Person]

    def part(self, number: int, of: int) -> Answer:
        """Return a process's part, as it reads it; the first one has the speakers."""
        return {
            "kind": self.kind,
            "ports": self.ports,
            "speakers": [] if number else self.speakers,
            "voices": len(self.speakers),
            "people": self.people[number::of],
        }


class Crowd:
    """All processes together."""

    def __init__(self, processes: "Sequence[_Process]") -> None:
        self._processes = processes

    async def all(self, command: str, **options: Any) -> list[Answer]:
        """Let all processes do it; return their answers."""
        return list(await asyncio.gather(*(each.ask(command, options) for each in self._processes)))

    @property
    def cpu_s(self) -> float:
        """Return the processor time that it has used."""
        return sum(cpu_s(process.pid) for process in self._processes)

    async def count(self, *, count: int, patience: int) -> list[Answer]:
        """Return who has heard what, once all ``count`` messages are sent and nothing comes more.

        Nobody counts before the last is sent: who has no speaker beside her cannot know.
        """
        await self.all("sent", patience=patience)
        return await self.all("count", count=count, patience=patience)

    async def say(self, *, count: int, per_s: float) -> None:
        """Let the speakers say so many messages."""
        await self._processes[0].ask("say", {"count": count, "every": 1e3 / per_s})


@asynccontextmanager
async def gathered(
    plan: Plan, folder: Path, *, processes: int, cuts: bool = False, **options: Any
) -> AsyncGenerator[Crowd]:
    """Start a crowd, and let everybody come.

    Args:
        cuts: Whether a network that can be cut stands before each client.
        options: For socket.io-client.
    """
    async with AsyncExitStack() as stack:
        started: list[_Process] = []
        for number in range(processes):
            config = folder / f"crowd-{number}.json"
            more = {"cuts": cuts, "options": options}
            config.write_text(json.dumps(plan.part(number, processes) | more))
            started.append(await stack.enter_async_context(_process(config)))
        crowd = Crowd(started)
        await crowd.all("connect")
        yield crowd


class _Process:
    """One of them; commands overlap, so each has a number."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin
        assert process.stdout
        self.pid = process.pid
        self._stdin = process.stdin
        self._stdout = process.stdout
        self._waiting: dict[int, asyncio.Future[Answer]] = {}
        self._last = 0

    async def ask(self, command: str, options: Answer) -> Answer:
        self._last += 1
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting[self._last] = answer
        request = {"id": self._last, "do": command, **options}
        self._stdin.write(json.dumps(request).encode() + b"\n")
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await answer
        except TimeoutError:
            raise Unusable(f"no end of {command!r} within {PATIENCE_S} s") from None

    async def listen(self) -> None:
        while line := await self._stdout.readline():
            answer: Answer = json.loads(line)
            self._waiting.pop(answer["id"]).set_result(answer)
        for waiting in self._waiting.values():
            waiting.set_exception(Unusable("a process with clients ended; why is above"))


@asynccontextmanager
async def _process(config: Path) -> AsyncGenerator[_Process]:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        node.command(), PROGRAM, config, stdin=pipe, stdout=pipe, limit=LONGEST_LINE
    )
    ours = _Process(process)
    listening = asyncio.create_task(ours.listen())
    try:
        yield ours
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await listening
