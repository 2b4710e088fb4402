"""What is particular to long polling (Engine.IO v4, HTTP long-polling)."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator

import pytest

from tests.conformance.server import MAX_PAYLOAD
from tests.engines import House
from tests.links import PollingLink, body_of

SEGMENT = 1_400  # bytes that a TCP segment carries over the internet


async def test_a_post_is_answered_ok(echo: House) -> None:
    """The answer is a plain ``ok`` when packets were taken."""
    link = await echo.polling()
    assert await link.post(b"4hello") == (200, "ok")


async def test_a_poll_brings_several_packets_in_one_body(echo: House) -> None:
    """Packets are separated by U+001E, and bytes are base64 behind a ``b``, in one answer."""
    link = await echo.polling()
    assert await link.post(b"4hello\x1ebAQIDBA==\x1e4world") == (200, "ok")
    assert await link.poll() == (200, "4hello\x1ebAQIDBA==\x1e4world")


async def test_a_poll_is_plain_text_that_nobody_keeps(echo: House) -> None:
    """The answer is UTF-8 text, and no cache may keep it, when a client polls."""
    link = await echo.polling()
    await link.post("4é".encode())
    async with echo.http.get(link.url) as response:
        assert response.content_type == "text/plain"
        assert (response.charset or "").lower() == "utf-8"
        assert response.headers["Cache-Control"] == "no-store"
        assert await response.read() == "4é".encode()


async def test_a_poll_waits_until_there_is_something(echo: House) -> None:
    """A poll that came first is answered when a message is there."""
    link = await echo.polling()
    poll = asyncio.ensure_future(link.poll())
    assert await link.post(b"4hello") == (200, "ok")
    assert await poll == (200, "4hello")


async def test_more_packets_than_stock_takes_are_all_taken(echo: House) -> None:
    """Each of 1,000 packets is handled when they come in one body."""
    link = await echo.polling()
    sent = [f"4{n}" for n in range(1_000)]
    assert await link.post(body_of(sent)) == (200, "ok")
    assert [await link.receive() for _ in sent] == sent


async def test_an_answer_holds_no_more_packets_than_clients_take(echo: House) -> None:
    """No poll is answered with more than 16 packets when many wait."""
    link = await echo.polling()
    await link.post(body_of(f"4{n}" for n in range(40)))
    bodies = [await link.poll() for _ in range(3)]
    assert [len(body.split("\x1e")) for _, body in bodies] == [16, 16, 8]


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
@pytest.mark.parametrize("size", [2_000, 60_000])
async def test_a_body_in_many_segments_is_read_to_its_end(
    echo: House, size: int, chunked: bool
) -> None:
    """Nothing is cut when the server sees each TCP segment before the next one leaves."""
    link = await echo.polling()
    body = body_of(["4" + "é" * (size // 4), "4" + "n" * (size // 2), b"\x00" * 10])
    assert await _post_slowly(echo, link, body, chunked=chunked) == 200
    assert body_of([await link.receive() for _ in range(3)]) == body


async def test_a_chunked_body_is_read(echo: House) -> None:
    """Packets are taken when their body has no length."""
    link = await echo.polling()

    async def chunks() -> AsyncIterator[bytes]:
        for chunk in (b"4hel", b"lo\x1e", b"4world"):
            yield chunk

    async with echo.http.post(link.url, data=chunks()) as response:
        assert (response.status, await response.text()) == (200, "ok")
    assert await link.poll() == (200, "4hello\x1e4world")


BROKEN = {
    "no packets": b"",
    "no UTF-8": b"4\xff\xfe",
    "no base64": b"b!!!",
    "base64 that is cut": b"bAQIDBA=",
    "an empty packet at the end": b"4hello\x1e",
    "an empty packet between": b"4hello\x1e\x1e4world",
    "a form": b"d=4hello",
    "lengths of version 3": b"6:4hello",
}


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN)
async def test_a_body_that_is_no_packets_ends_the_session(echo: House, body: bytes) -> None:
    """The POST, the poll that waits and what follows get 400 when a body is broken."""
    link = await echo.polling()
    poll = asyncio.ensure_future(link.poll())
    await echo.turn()  # the poll is there
    status, _ = await link.post(body)
    assert status == 400
    answers = [await poll] if b"hello" not in body else []
    answers += [await link.poll(), await link.post(b"4x")]
    assert [status for status, _ in answers if _ != "4hello"] == [400] * len(answers)
    assert echo.eio.sockets == {}


async def test_a_body_above_the_limit_gets_413(echo: House) -> None:
    """The POST is refused before it is read whole when it is too large, chunked or not."""
    for chunked in (False, True):
        link = await echo.polling()
        url, body = link.url, b"4" + b"x" * MAX_PAYLOAD
        async with echo.http.post(url, data=body, chunked=chunked or None) as response:
            assert response.status == 413
        assert await link.ended() is None


async def test_two_polls_at_a_time_end_the_session(echo: House) -> None:
    """The second poll gets 400 and the first is told to close when a client polls twice."""
    link = await echo.polling()
    first, second = [asyncio.ensure_future(link.poll()) for _ in range(2)]
    await asyncio.wait([first, second])
    answers = sorted([await first, await second])
    assert answers[0] == (200, "1")
    assert answers[1][0] == 400
    assert (await link.poll())[0] == 400
    assert echo.eio.sockets == {}


async def test_two_posts_at_a_time_end_the_session(echo: House) -> None:
    """The second POST gets 400 and the session is closed when the first is still on its way."""
    link = await echo.polling()
    async with _begun_post(echo, link, "Content-Length: 6") as (reader, writer):
        writer.write(b"4he")
        await echo.turn()
        status, _ = await link.post(b"4hello")
        assert status == 400
        writer.write(b"llo")
        assert b" 400 " in await reader.readuntil(b"\r\n")
    assert (await link.poll())[0] == 400
    assert echo.eio.sockets == {}


BEGUN = {
    "a body that is cut": ("Content-Length: 6", b"4he"),
    "a chunk that is cut": ("Transfer-Encoding: chunked", b"6\r\n4he"),
    "chunks that are none": ("Transfer-Encoding: chunked", b"zz\r\n4hello\r\n"),
}


@pytest.mark.parametrize(("header", "body"), BEGUN.values(), ids=BEGUN)
async def test_a_post_that_breaks_off_leaves_the_session_alone(
    echo: House, header: str, body: bytes
) -> None:
    """The next POST is taken, and no trace is logged, when the network ate the one before."""
    link = await echo.polling()
    async with _begun_post(echo, link, header) as (_, writer):
        await echo.turn()
        writer.write(body)
        await echo.turn()
    await echo.turn()
    assert await link.post(b"4hello") == (200, "ok")
    assert await link.poll() == (200, "4hello")


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_a_body_is_not_unpacked(echo: House, encoding: str) -> None:
    """A body is as large as it looks: it is taken as it came, whatever encoding it names."""
    link = await echo.polling()
    header = f"Content-Encoding: {encoding}\r\nContent-Length: 6"
    async with _begun_post(echo, link, header) as (reader, writer):
        writer.write(b"4hello")
        assert b" 200 " in await reader.readuntil(b"\r\n")


@contextlib.asynccontextmanager
async def _begun_post(
    house: House, link: PollingLink, header: str
) -> AsyncGenerator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    url = link.url
    async with house.wire() as (reader, writer):
        head = f"POST {url.path_qs} HTTP/1.1\r\nHost: {url.authority}\r\n{header}\r\n\r\n"
        writer.write(head.encode())
        yield reader, writer


async def _post_slowly(house: House, link: PollingLink, body: bytes, *, chunked: bool) -> int:
    header = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {len(body)}"
    async with _begun_post(house, link, header) as (reader, writer):
        for start in range(0, len(body), SEGMENT):
            segment = body[start : start + SEGMENT]
            writer.write(b"%x\r\n%b\r\n" % (len(segment), segment) if chunked else segment)
            await house.turn()
        if chunked:
            writer.write(b"0\r\n\r\n")
        return int((await reader.readuntil(b"\r\n")).split()[1])
