"""A session opens, or a request is refused (Engine.IO v4, handshake)."""

import re
from collections.abc import Mapping

import aiohttp
import pytest

from tests.conformance.server import MAX_PAYLOAD, TIMES, engine
from tests.engines import CALM, House
from tests.links import LINKS

OVER_POLLING = {"EIO": "4", "transport": "polling"}
OVER_WEBSOCKET = {"EIO": "4", "transport": "websocket"}


@pytest.mark.parametrize("kind", LINKS)
async def test_a_session_opens_with_what_the_client_has_to_know(echo: House, kind: str) -> None:
    """The first packet tells the session's id, its heartbeat and its limit when it opens."""
    opened = (await echo.link(kind)).opened
    assert set(opened) == {"sid", "upgrades", "pingInterval", "pingTimeout", "maxPayload"}
    assert opened["upgrades"] == ([] if kind == "websocket" else ["websocket"])
    assert opened["pingInterval"] == opened["pingTimeout"] == 60_000
    assert opened["maxPayload"] == MAX_PAYLOAD
    assert opened["sid"] in echo.eio.sockets


async def test_times_are_told_in_milliseconds() -> None:
    """The server tells 300 and 200 when it was given 0.3 and 0.2 seconds."""
    async with House.open(engine()) as house:
        opened = (await house.polling()).opened
    told = opened["pingInterval"] / 1000, opened["pingTimeout"] / 1000
    assert told == (TIMES["ping_interval"], TIMES["ping_timeout"])


async def test_sessions_have_ids_of_their_own(echo: House) -> None:
    """No id is given twice when many sessions open."""
    sids = {(await echo.link(kind)).opened["sid"] for kind in list(LINKS) * 20}
    assert len(sids) == 60


@pytest.mark.parametrize("kind", LINKS)
async def test_an_id_begins_with_the_name_of_its_node(kind: str) -> None:
    """A proxy sees whose a session is, and the name of n1 begins no id of n10."""
    async with House.open(engine(**CALM, node="n1")) as house:
        sids = {(await house.link(kind)).opened["sid"] for _ in range(20)}
    assert all(re.fullmatch(r"n1\.[A-Za-z0-9_-]{20}", sid) for sid in sids), sids


async def test_a_node_without_a_name_has_one_of_its_own() -> None:
    """Two of them have no session in common whatever their ids go on with."""
    names: set[str] = set()
    for _ in range(2):
        async with House.open(engine(**CALM)) as house:
            name, dot, rest = (await house.polling()).opened["sid"].partition(".")
            assert re.fullmatch(r"[0-9a-f]{8}", name)
            assert dot
            assert "." not in rest
            names.add(name)
    assert len(names) == 2


REFUSED: Mapping[str, dict[str, str]] = {
    "no version": {"transport": "polling"},
    "an old version": {"EIO": "3", "transport": "polling"},
    "a version that is no number": {"EIO": "four", "transport": "polling"},
    "no transport": {"EIO": "4"},
    "an unknown transport": {"EIO": "4", "transport": "pigeon"},
    "an unknown session": {**OVER_POLLING, "sid": "nobody"},
    "no session": {**OVER_POLLING, "sid": ""},
    "a session that is no ASCII": {
        **OVER_POLLING,
        "sid": "né\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"),
    },
    "a WebSocket that is none": OVER_WEBSOCKET,
}


@pytest.mark.parametrize("query", REFUSED.values(), ids=REFUSED)
async def test_a_request_that_opens_nothing_gets_400(echo: House, query: dict[str, str]) -> None:
    """A handshake is refused, and leaves nothing, when the protocol does not know it."""
    async with echo.http.get(echo.url, params=query) as response:
        assert response.status == 400
    assert echo.eio.sockets == {}


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "HEAD"])
async def test_only_get_opens_a_session(echo: House, method: str) -> None:
    """A handshake is refused when its method is not GET."""
    async with echo.http.request(method, echo.url, params=OVER_POLLING, data=b"4x") as response:
        assert response.status == 400
    assert echo.eio.sockets == {}


@pytest.mark.parametrize("query", [query for name, query in REFUSED.items() if "none" not in name])
async def test_a_websocket_that_opens_nothing_is_refused(
    echo: House, query: dict[str, str]
) -> None:
    """A WebSocket is not accepted when its query would open nothing."""
    if query.get("transport") == "polling":
        query = {**query, "transport": "websocket"}
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await echo.http.ws_connect(echo.url, params=query)
    assert refused.value.status == 400
    assert echo.eio.sockets == {}


BROKEN: Mapping[str, dict[str, str]] = {
    "no key": {"Sec-WebSocket-Key": ""},
    "a short key": {"Sec-WebSocket-Key": "c2hvcnQ="},
    "an old version": {"Sec-WebSocket-Version": "8"},
    "another protocol": {"Upgrade": "h2c"},
    "no upgrade": {"Connection": "keep-alive"},
}
HEADERS = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
}


@pytest.mark.parametrize("headers", BROKEN.values(), ids=BROKEN)
async def test_a_broken_websocket_handshake_gets_400(echo: House, headers: dict[str, str]) -> None:
    """A WebSocket is not accepted when its headers are not those of RFC 6455."""
    wanted = {**HEADERS, **headers}
    async with echo.http.get(echo.url, params=OVER_WEBSOCKET, headers=wanted) as response:
        assert response.status == 400
    assert echo.eio.sockets == {}


async def test_a_websocket_that_lost_its_network_is_forgotten() -> None:
    """A session ends when its client is gone without a word."""
    async with House.open(engine(**CALM)) as house:
        link = await house.websocket()
        await link.websocket.close()
        await house.eio.shutdown()
        assert house.eio.sockets == {}
