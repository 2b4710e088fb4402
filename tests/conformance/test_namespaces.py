"""Clients join namespaces and leave them (Socket.IO v5, connection and disconnection)."""

import aiohttp
import pytest

from tests.conformance.server import sockets
from tests.engines import CALM, House
from tests.links import LINKS, Link, heard, join

pytestmark = pytest.mark.parametrize("kind", LINKS)

NAMESPACES = ("/", "/custom")
PROTOCOL = 1002


def broken(kind: str) -> int | None:
    """Return how a connection ends that broke the protocol."""
    return None if kind == "polling" else PROTOCOL


async def entered(link: Link, namespace: str = "/", auth: object = None) -> str:
    """Join a namespace, and hear the event that the server sends at once."""
    sid = await join(link, namespace, auth)
    assert await heard(link) == ("2", namespace, None, ["auth", auth or {}])
    return sid


@pytest.mark.parametrize("namespace", NAMESPACES)
@pytest.mark.parametrize("auth", [None, {"token": "123", "né": ["😀", {"a": None}]}])
async def test_a_client_joins(house: House, kind: str, namespace: str, auth: object) -> None:
    """The answer has the client's id, and the handler its payload, when it asks to come in."""
    link = await house.link(kind)
    sid = await entered(link, namespace, auth)
    assert sid != link.opened["sid"]
    assert house.server.manager.is_connected(sid, namespace)
    assert house.server.transport(sid, namespace) == (
        "polling" if kind == "polling" else "websocket"
    )


async def test_the_main_namespace_has_a_name_too(house: House, kind: str) -> None:
    """A client is in ``/`` when it asks for it by name."""
    link = await house.link(kind)
    await link.send("40/,")
    kind_, namespace, _, data = await heard(link)
    assert (kind_, namespace, list(data)) == ("0", "/", ["sid"])


async def test_a_client_is_in_several_namespaces_at_once(house: House, kind: str) -> None:
    """Each has its own id, and one goes on, when the other was left."""
    link = await house.link(kind)
    sids = {await entered(link, namespace) for namespace in NAMESPACES}
    assert len(sids) == 2
    await link.send("41/custom,", '42["message",1]')
    assert await heard(link) == ("2", "/", None, ["message-back", 1])
    assert list(house.server.manager.get_namespaces()) == ["/"]


async def test_a_namespace_that_is_not_there_is_refused(house: House, kind: str) -> None:
    """The client hears why, and its connection goes on, when there is no such namespace."""
    link = await house.link(kind)
    await link.send("40/unknown,")
    assert await heard(link) == ("4", "/unknown", None, {"message": "Invalid namespace"})
    await entered(link)


async def test_a_query_behind_a_namespace_means_nothing(house: House, kind: str) -> None:
    """A client of old habits joins when it puts a query behind the name."""
    link = await house.link(kind)
    await link.send('40/custom?token=abc,{"a":1}')
    assert (await heard(link))[:2] == ("0", "/custom")
    assert (await heard(link))[3] == ["auth", {"a": 1}]


async def test_who_asks_without_end_is_closed(house: House, kind: str) -> None:
    """The connection ends when a client was refused ten times."""
    link = await house.link(kind)
    await link.send(*["40/unknown,"] * 9)
    for _ in range(9):
        assert (await heard(link))[0] == "4"
    await link.send("40/unknown,")
    assert await link.ended() == broken(kind)
    assert house.eio.sockets == {}


async def test_a_second_connect_ends_the_connection(house: House, kind: str) -> None:
    """Nobody is in a namespace twice: the connection ends when its client asks again."""
    link = await house.link(kind)
    await entered(link)
    await link.send("40")
    assert await link.ended() == broken(kind)
    assert list(house.server.manager.get_namespaces()) == []


@pytest.mark.parametrize("packet", ['42["message"]', '43/custom,1["x"]', '42/no,["x"]', "41"])
async def test_what_comes_before_connect_ends_the_connection(
    house: House, kind: str, packet: str
) -> None:
    """The connection ends when a client speaks in a namespace that it never joined."""
    link = await house.link(kind)
    await link.send(packet)
    assert await link.ended() == broken(kind)
    assert house.eio.sockets == {}


async def test_who_joins_nothing_is_closed(kind: str) -> None:
    """A connection is given up when no namespace was joined in time; one with a client stays."""
    async with House.open(sockets(**{**CALM, "connect_timeout": 0.2})) as house:
        idle, joined, left = [await house.link(kind) for _ in range(3)]
        await entered(joined)
        await entered(left)
        await left.send("41")
        for link in (idle, left):
            assert await link.ended() == (None if kind == "polling" else 1001)
        await joined.send('42["message",1]')
        assert await heard(joined) == ("2", "/", None, ["message-back", 1])


async def test_who_left_is_let_in_again(house: House, kind: str) -> None:
    """The client has a new id when it comes back to a namespace that it left."""
    link = await house.link(kind)
    first = await entered(link)
    await link.send("41")
    second = await entered(link)
    assert first != second
    assert not house.server.manager.is_connected(first, "/")
    await link.send('42["message",1]')
    assert await heard(link) == ("2", "/", None, ["message-back", 1])


@pytest.mark.parametrize("late", ['42["message",1]', '427["message-with-ack"]', '431["x"]', "41"])
async def test_what_comes_after_leaving_is_ignored(house: House, kind: str, late: str) -> None:
    """The connection goes on, and nothing is answered, when packets were under way."""
    link = await house.link(kind)
    await entered(link)
    await entered(link, "/custom")
    await link.send("41", late, '42/custom,["message",2]')
    assert await heard(link) == ("2", "/custom", None, ["message-back", 2])


async def test_the_end_of_a_connection_empties_its_namespaces(house: House, kind: str) -> None:
    """Nothing is kept of a client, in any namespace, when it is gone."""
    link = await house.link(kind)
    for namespace in NAMESPACES:
        await entered(link, namespace)
    if kind == "polling":
        await link.leave()
    else:
        await house.http.close()
        house.http = aiohttp.ClientSession()
    await house.until(lambda: list(house.server.manager.get_namespaces()) == [])
    assert house.eio.sockets == {}
    await house.http.close()


async def test_a_disconnect_with_a_payload_ends_the_connection(house: House, kind: str) -> None:
    """The connection ends when a DISCONNECT has what none may have."""
    link = await house.link(kind)
    await entered(link, "/custom")
    await link.send('41/custom,["x"]')
    assert await link.ended() == broken(kind)
