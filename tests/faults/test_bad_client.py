"""A bad client harms only itself: its frames, packets, bodies and ends (promise 7).

What breaks Socket.IO one layer up is in tests/e2e/test_broken_packets.py.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping

import aiohttp
import pytest
import pytest_asyncio

from tests.clients import new_user
from tests.faults.neighbours import Neighbours
from tests.faults.wire import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    Wire,
    closing,
    frame,
    length,
)
from tests.polling import Polling
from tests.servers import ServerProcess

pytestmark = pytest.mark.asyncio(loop_scope="module")

CLOSED_S = 1.0
LINE_BYTES = 300
PROTOCOL, TOO_LARGE = 1002, 1009
MAX_PAYLOAD = 10_000
CALM = {  # nobody is closed by a time limit here
    "PARLEY_PING_INTERVAL_MS": "3600000",
    "PARLEY_CONNECT_TIMEOUT_MS": "3600000",
    "PARLEY_MAX_PAYLOAD": str(MAX_PAYLOAD),
}
EVENT = b'42/chat,1["rooms",{}]'


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    """Return a session for the clients of the module."""
    async with aiohttp.ClientSession() as session:
        yield session


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ServerProcess]:
    """Return a server for the module."""
    process = await ServerProcess(tmp_path_factory.mktemp("bad") / "data", CALM).start()
    yield process
    await process.kill()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def neighbours(
    http: aiohttp.ClientSession, server: ServerProcess
) -> AsyncIterator[Neighbours]:
    """Return two who chat through all of it."""
    neighbours = await Neighbours.meet(http, server)
    yield neighbours
    neighbours.check()
    await neighbours.leave()


BROKEN: Mapping[str, bytes] = {
    "RSV1 without compression": frame(EVENT, rsv=4),
    "RSV2": frame(EVENT, rsv=2),
    "RSV3": frame(EVENT, rsv=1),
    "a reserved opcode": frame(EVENT, 3),
    "a reserved opcode of control": frame(b"", 11),
    "a continuation of nothing": frame(EVENT, CONTINUATION),
    "a message in the middle of another": frame(EVENT, final=False) + frame(EVENT),
    "a ping in two frames": frame(b"", PING, final=False),
    "a ping that is too long": frame(bytes(126), PING),
    "half a close code": frame(b"\x03", CLOSE),
    "a close code that is none": closing(999),
    "a close code nobody may send": closing(1005),
    "a close code of no range": closing(5_000),
    "a close reason that is no UTF-8": closing(1000, b"\xff\xfe"),
    "no UTF-8": frame(b'42/chat,1["rooms",{"cursor":"\xff\xfe"}]'),
    "no UTF-8 in the namespace": frame(b'42/\xff\xfe,1["rooms",{}]'),
    "JSON in UTF-16": frame(b"42/chat,1" + '["rooms",{}]'.encode("utf-16-le")),
    "an attachment of no packet": frame(b"attached", BINARY),
    "text where an attachment is due": frame(b'451-/chat,["chat",{}]') + frame(EVENT),
    "a place for an attachment that is not there": frame(
        b'451-/chat,1["chat",{"_placeholder":true,"num":1}]'
    )
    + frame(b"attached", BINARY),
    "eleven attachments": frame(b'4511-/chat,1["chat",{}]'),
    "an ack with id 0": frame(b"43/chat,0[]"),
    "a second CONNECT": frame(b"40/chat,{}"),
    "an event of a namespace never joined": frame(b'42/admin,1["rooms",{}]'),
    "a ping of Engine.IO, which is the server's to send": frame(b"2"),
    "an upgrade of a WebSocket": frame(b"5"),
    "HTTP": b"GET /healthz HTTP/1.1\r\nHost: example.org\r\n\r\n",
}
LARGE: Mapping[str, bytes] = {
    "a frame that says it is too large": bytes([0x81]) + length(MAX_PAYLOAD + 1),
    "a frame of 2^62 bytes": bytes([0x81]) + length(2**62),
    "fragments that are too large together": frame(b"4", final=False)
    + frame(bytes(4_000), CONTINUATION, final=False) * 3,
}
LEAVING: Mapping[str, bytes] = {
    "a close frame": closing(1000),
    "a close frame without a code": frame(b"", CLOSE),
    "a close frame in the middle of a message": frame(EVENT, final=False) + closing(1001),
    "a close frame, and more behind it": closing(1000) + frame(EVENT) * 10,
    "Engine.IO's close": frame(b"41/chat,") + frame(b"1"),
}


@pytest.mark.parametrize("sent", BROKEN.values(), ids=BROKEN)
async def test_a_broken_frame_ends_with_1002(
    server: ServerProcess, neighbours: Neighbours, sent: bytes
) -> None:
    """At once, with one line in the log; and nobody else notices."""
    assert await _end_of(server, neighbours, lambda wire: wire.send(sent)) == PROTOCOL


@pytest.mark.parametrize("sent", LARGE.values(), ids=LARGE)
async def test_a_large_frame_ends_with_1009(
    server: ServerProcess, neighbours: Neighbours, sent: bytes
) -> None:
    """Where its length is known, not where it ends."""
    assert await _end_of(server, neighbours, lambda wire: wire.send(sent)) == TOO_LARGE


@pytest.mark.parametrize("sent", LEAVING.values(), ids=LEAVING)
async def test_who_leaves_is_gone_at_once(
    server: ServerProcess, neighbours: Neighbours, sent: bytes
) -> None:
    """However it says so."""
    await _end_of(server, neighbours, lambda wire: wire.send(sent))


def _cut(wire: Wire) -> None:
    wire.send(frame(EVENT)[:9])
    wire.finish()


def _busy(wire: Wire) -> None:
    wire.send(frame(EVENT) * 999)
    wire.reset()


ENDS: Mapping[str, Callable[[Wire], None]] = {
    "a reset": Wire.reset,
    "the end of its stream": Wire.finish,
    "the end in the middle of a frame": _cut,
    "a reset behind a thousand events": _busy,
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
async def test_a_connection_that_ends_is_gone_at_once(
    server: ServerProcess, neighbours: Neighbours, end: Callable[[Wire], None]
) -> None:
    """Nothing waits for a heartbeat to find it out."""
    assert await _end_of(server, neighbours, end) is None


BODIES: Mapping[str, bytes] = {
    "nothing": b"",
    "half a character": b"4\xc3",
    "base64 that is cut": b"bAAAAA",
    "an attachment of no packet": b"bAAAA",
    "a byte order mark": b"\xef\xbb\xbf42/chat,[]",
    "a length before it, as of Engine.IO 3": b'24:42/chat,1["rooms",{}]',
    "an empty packet between two": b'42/chat,1["rooms",{}]\x1e\x1e42/chat,2["rooms",{}]',
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
async def test_a_broken_body_ends_with_400(
    http: aiohttp.ClientSession, server: ServerProcess, neighbours: Neighbours, body: bytes
) -> None:
    """On long polling the poll that waits is refused, and so is what follows."""
    name, mark = new_user("mallory"), len(server.output)
    mallory = await Polling(http, server.url).connect(server.token(name))
    async with asyncio.timeout(CLOSED_S):
        status, _ = await asyncio.gather(mallory.poll(), mallory.post(body))
        assert status == 400
        await server.prints(b"disconnected", name.encode(), after=mark)
    assert await mallory.post(b'42/chat,1["rooms",{}]') == 400
    _check_lines(server, mark)
    await neighbours.chat()


async def test_two_polls_at_a_time_end_the_session(
    http: aiohttp.ClientSession, server: ServerProcess, neighbours: Neighbours
) -> None:
    """A client that polls twice cannot know what it has got."""
    name, mark = new_user("mallory"), len(server.output)
    mallory = await Polling(http, server.url).connect(server.token(name))
    async with asyncio.timeout(CLOSED_S):
        assert sorted(await asyncio.gather(mallory.poll(), mallory.poll())) == [200, 400]
        await server.prints(b"disconnected", name.encode(), after=mark)
    _check_lines(server, mark)
    await neighbours.chat()


async def test_a_second_body_while_one_is_not_there_yet_ends_the_session(
    http: aiohttp.ClientSession, server: ServerProcess, neighbours: Neighbours
) -> None:
    """Half a POST holds up nobody; another one beside it is one too many."""
    name, mark = new_user("mallory"), len(server.output)
    mallory = await Polling(http, server.url).connect(server.token(name))
    async with mallory.half_a_post(b'42/chat,1["rooms",{}]'):
        await neighbours.chat()
        assert await mallory.post(b'42/chat,2["rooms",{}]') == 400
        await server.prints(b"disconnected", name.encode(), after=mark)
        _check_lines(server, mark)


async def test_a_body_that_is_cut_off_is_no_news(
    http: aiohttp.ClientSession, server: ServerProcess, neighbours: Neighbours
) -> None:
    """That happens to phones all day: no error, no traceback, and the session goes on."""
    name, mark = new_user("mallory"), len(server.output)
    mallory = await Polling(http, server.url).connect(server.token(name))
    async with mallory.half_a_post(b'42/chat,1["rooms",{}]'):
        pass
    for _ in range(3):
        await neighbours.chat()  # by then it has been noticed
    _check_lines(server, mark)
    assert await mallory.post(b'42/chat,2["rooms",{}]') == 200
    await mallory.ack(2)


async def _end_of(
    server: ServerProcess, neighbours: Neighbours, harm: Callable[[Wire], None]
) -> int | None:
    """Return the code that a member of ``/chat`` is closed with who does harm."""
    name, mark = new_user("mallory"), len(server.output)
    async with Wire.open(server.url) as wire:
        await wire.join(server.token(name))
        harm(wire)
        async with asyncio.timeout(CLOSED_S):
            code, _ = await asyncio.gather(
                wire.ended(), server.prints(b"disconnected", name.encode(), after=mark)
            )
        _check_lines(server, mark)
        await neighbours.chat()
        return code


def _check_lines(server: ServerProcess, mark: int) -> None:
    """Look at what was logged: that it came, that it went, and one line of why at most."""
    lines = [line for line in server.output[mark:] if b"connected" not in line]
    assert len(lines) <= 1, lines[:3]
    assert all(len(line) < LINE_BYTES for line in server.output[mark:])
