"""Floods are bounded: in tasks, in memory, and in what the others notice (promise 16)."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path

import aiohttp
import pytest

from parley.server.app import running
from parley.server.settings import Settings
from tests.faults.measures import MIB, memory_of, tell
from tests.faults.neighbours import Neighbours
from tests.faults.wire import CLOSE, PING, Wire, frame
from tests.raw_client import RawClient
from tests.servers import ServerProcess

GROWTH = 20 * MIB  # python-socketio needs 100
EVENTS = 20_000
NAMESPACES = 10_000
TASKS = 600  # twice what waits or is under way of one socket at most
CALM = {"PARLEY_PING_INTERVAL_MS": "3600000"}
ROOMS = '2/chat,%d["rooms",{}]'


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    """Return a session for the clients of a test."""
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[ServerProcess]:
    """Return a server on which no heartbeat ends anybody."""
    process = await ServerProcess(tmp_path / "data", CALM).start()
    yield process
    await process.kill()


@pytest.fixture
async def neighbours(http: aiohttp.ClientSession, server: ServerProcess) -> Neighbours:
    """Return two who chat meanwhile."""
    return await Neighbours.meet(http, server)


@pytest.mark.slow
async def test_twenty_thousand_events_at_once_are_answered_in_order(
    server: ServerProcess, neighbours: Neighbours
) -> None:
    """Or their sender is closed, where she does not keep up; meanwhile the others are served."""
    held = memory_of(server.pid)
    most = answered = 0

    async def flood(wire: Wire) -> None:
        nonlocal most, answered
        wire.send(b"".join(frame(f"4{ROOMS % n}".encode()) for n in range(1, EVENTS + 1)))
        with contextlib.suppress(EOFError, ConnectionError):
            while answered < EVENTS:
                opcode, payload = await wire.receive()
                if opcode == CLOSE:
                    break
                answered += 1
                assert payload.startswith(b"43/chat,%d[" % answered)
                if answered % 1_000 == 0:
                    most = max(most, memory_of(server.pid))
        most = max(most, memory_of(server.pid))  # whoever is closed may have no answer

    async with Wire.open(server.url) as wire:
        await wire.join(server.token("flood"))
        took = await neighbours.chat_during(flood(wire))
    neighbours.check()
    tell(f"{answered} answers, {(most - held) / MIB:.1f} MiB")
    tell(f"{len(took)} messages next door, {max(took):.3f} s at most")
    assert most - held < GROWTH


SAID = b'42/chat,%d["chat",{"room_id":"%b","client_id":"c-%06d","content":{"text":"x"}}]'
TURNS = frame(b"41/chat,") + frame(b"40/chat,{}")  # out of the namespace and in again


@pytest.mark.parametrize("kind", [pytest.param("messages", marks=pytest.mark.slow), "turns"])
async def test_a_flood_makes_no_tasks(
    tmp_path: Path, http: aiohttp.ClientSession, kind: str
) -> None:
    """However much comes in at once, what is under way for a socket has a bound."""
    settings = Settings(port=0, data_dir=tmp_path, ping_interval_ms=3_600_000)
    async with running(settings) as node:
        url, token = f"http://127.0.0.1:{node.port}", node.mint.mint("ann", name=None, ttl_s=60)
        client = await RawClient(http).connect(url, token)
        await client.ready()
        room_id = (await client.call("create_room", name="Flood", type="public"))["room"]["id"]
        before, most, over = len(asyncio.all_tasks()), 0, False
        async with Wire.open(url) as wire:
            await wire.join(token)
            for number in range(1, EVENTS + 1):
                said = frame(SAID % (number, room_id.encode(), number))
                wire.send(said if kind == "messages" else TURNS)
            wire.send(frame(b'42/chat,0["rooms",{}]'))
            while not over:
                opcode, payload = await wire.receive()
                over = opcode == CLOSE or payload.startswith(b"43/chat,0[")
                most = max(most, len(asyncio.all_tasks()))
        tell(f"{most - before} tasks more")
        assert most - before < TASKS
        await client.close()


FLOODS: Mapping[str, tuple[Callable[[int], bytes], int | None]] = {
    "namespaces": (lambda n: frame(b"40/n%d," % n), 1002),
    "long names of namespaces": (lambda n: frame(b"40/%0250d," % n), 1002),
    "pongs that nobody asked for": (lambda _: frame(b"3"), None),
    "pings of WebSocket": (lambda n: frame(b"%0125d" % n, PING), None),
    "acks of nothing": (lambda n: frame(b"43/chat,%d[]" % (n + 1)), None),
}


@pytest.mark.parametrize(("one", "code"), FLOODS.values(), ids=FLOODS)
async def test_a_flood_of_small_things_costs_nothing(
    server: ServerProcess,
    neighbours: Neighbours,
    one: Callable[[int], bytes],
    code: int | None,
) -> None:
    """The flooding client is closed, or still served; it pays with nobody else's time."""
    async with Wire.open(server.url) as wire:
        await wire.join(server.token("flood"))
        held = memory_of(server.pid)
        wire.send(b"".join(map(one, range(NAMESPACES))))
        wire.send(frame(f"4{ROOMS % 1}".encode()))
        ends: list[int | None] = []

        async def flood() -> None:
            ends.append(await wire.until(b"43/chat,1["))

        await neighbours.chat_during(flood())
        grew = memory_of(server.pid) - held
        tell(f"{grew / MIB:.1f} MiB")
        assert ends == [code]
        assert grew < GROWTH
    neighbours.check()


async def test_who_asks_for_more_than_it_reads_is_closed(
    http: aiohttp.ClientSession, server: ServerProcess, neighbours: Neighbours
) -> None:
    """Answers are never dropped, so whom they wait for in vain is let go."""
    for n in range(100):
        await neighbours.ann.say(neighbours.room_id, f"{n}" + "\U0001f40c" * 3_000)
    greedy = await RawClient(http).connect(server.url, server.token("ben"))
    await greedy.ready()
    held, mark = memory_of(server.pid), len(server.output)
    greedy.reading.clear()
    asked = f'["history",{{"room_id":"{neighbours.room_id}","limit":200}}]'
    for _ in range(200):  # 240 MB of answers
        await greedy.emit_text(asked, asyncio.get_running_loop().create_future())
    await server.prints(b"disconnected", b"ben", after=mark)
    grew = memory_of(server.pid) - held
    tell(f"{grew / MIB:.1f} MiB")
    assert grew < GROWTH
    await neighbours.chat()
    greedy.reading.set()
    await greedy.event("@disconnect")
    await greedy.close()
