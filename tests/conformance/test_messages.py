"""Messages go both ways and stay whole (Engine.IO v4, packet encoding)."""

import pytest

from tests.conformance.server import MAX_PAYLOAD
from tests.engines import House
from tests.links import LINKS, Closed

pytestmark = pytest.mark.parametrize("kind", LINKS)

TOO_LARGE = 1009


async def test_text_comes_back(echo: House, kind: str) -> None:
    """A message is what it was, character for character, when the server says it again."""
    link = await echo.link(kind)
    for text in ("4hello", "4", "4 ", "4é – 日本語 😀", "4\x00\x1f\u2028", "4" + "x" * 126):
        await link.send(text)
        assert await link.receive() == text


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536])
async def test_bytes_come_back(echo: House, kind: str, size: int) -> None:
    """A binary message is what it was, byte for byte, when the server says it again."""
    link = await echo.link(kind)
    data = bytes(n % 256 for n in range(size))
    await link.send(data)
    assert await link.receive() == data


async def test_many_messages_keep_their_order(echo: House, kind: str) -> None:
    """Nothing is lost and nothing overtakes when text and bytes are sent in one go."""
    link = await echo.link(kind)
    sent = [b"%d" % n if n % 3 == 0 else f"4{n}" for n in range(100)]
    await link.send(*sent)
    assert [await link.receive() for _ in sent] == sent


async def test_a_large_message_comes_back(echo: House, kind: str) -> None:
    """A message of 900 KB is not cut when the limit is 1 MB."""
    link = await echo.link(kind)
    large = "4" + "".join(f"{n:08}," for n in range(100_000))
    await link.send(large)
    assert await link.receive() == large


async def test_what_is_as_large_as_the_server_said_is_taken(echo: House, kind: str) -> None:
    """A message is taken when it is exactly ``maxPayload`` bytes."""
    link = await echo.link(kind)
    largest = "4" + "x" * (MAX_PAYLOAD - 1)
    await link.send(largest)
    assert await link.receive() == largest


@pytest.mark.parametrize("more", [2, 40_000])
async def test_what_is_too_large_ends_the_connection(echo: House, kind: str, more: int) -> None:
    """The session is closed, with 1009 on a WebSocket, when a message is above the limit."""
    link = await echo.link(kind)
    await link.send("4" + "x" * (MAX_PAYLOAD + more))
    assert await link.ended() == (None if kind == "polling" else TOO_LARGE)
    assert echo.eio.sockets == {}


async def test_a_client_that_says_close_is_let_go(echo: House, kind: str) -> None:
    """The session ends at once, after what was sent before, when the client says so."""
    link = await echo.link(kind)
    await link.send("4last", "1")
    if kind != "polling":
        assert await link.receive() == "4last"
    assert await link.ended() == (None if kind == "polling" else 1000)
    assert echo.eio.sockets == {}


@pytest.mark.parametrize("packet", ["", "x", "9", "-1", "2", "2probe", "0{}", "5", "6", "4\x1f5"])
async def test_a_packet_that_no_client_may_send_ends_the_connection(
    echo: House, kind: str, packet: str
) -> None:
    """The session is closed, with 1002 on a WebSocket, when a packet makes no sense."""
    link = await echo.link(kind)
    if packet.startswith("4"):  # a message may hold anything
        await link.send(packet)
        assert await link.receive() == packet
        return
    await link.send(packet)
    with pytest.raises(Closed) as closed:
        await link.receive()
    assert closed.value.code == (None if kind == "polling" else 1002)
    assert echo.eio.sockets == {}


async def test_a_neighbour_notices_nothing(echo: House, kind: str) -> None:
    """One session goes on when another one breaks the protocol, whatever carries them."""
    neighbours = [await echo.link(other) for other in LINKS]
    link = await echo.link(kind)
    await link.send("x")
    await link.ended()
    for neighbour in neighbours:
        await neighbour.send("4still here")
        assert await neighbour.receive() == "4still here"
