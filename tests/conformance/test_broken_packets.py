"""What is no Socket.IO packet ends its connection and nobody else's (Socket.IO v5, encoding)."""

import pytest

from tests.conformance.test_namespaces import broken, entered
from tests.engines import House
from tests.links import LINKS, Packet, heard

pytestmark = pytest.mark.parametrize("kind", LINKS)

PLACE = '{"_placeholder":true,"num":0}'

BROKEN: dict[str, list[Packet]] = {
    "nothing": ["4"],
    "an unknown type": ["49"],
    "no type": ["4abc"],
    "a refusal": ['44{"message":"no"}'],
    "no event": ["42"],
    "an event that is an object": ['42{"a":1}'],
    "an event that is text": ['42"message"'],
    "an event of nothing": ["42[]"],
    "an event without a name": ['42[{"a":1}]'],
    "an event named by a list": ['42[["message"]]'],
    "an event named by nothing": ["42[null]"],
    "an event that is cut": ['42["message",'],
    "an event and more": ['42["message"]x'],
    "an event with single quotes": ["42['message']"],
    "an event in no UTF-8": ['42["message",1]\ufffd'],
    "an ack that is no list": ['431{"a":1}'],
    "an ack without a payload": ["431"],
    "an ack's number that is too long": ["42" + "9" * 40 + '["message"]'],
    "a negative number": ['42-1["message"]'],
    "brackets without end": ["42" + "[" * 100_000],
    "objects without end": ["42" + '["message",' + '{"a":' * 100_000],
    "attachments of no packet": [b"\x01"],
    "attachments of a plain event": ['421-["message"]'],
    "a binary event without a number": [f'45["message",{PLACE}]'],
    "a binary event of no attachments": ['450-["message"]'],
    "eleven attachments": [f'4511-["message",{PLACE}]'],
    "a billion attachments": [f'451000000000-["message",{PLACE}]'],
    "fewer than no attachments": [f'45-1-["message",{PLACE}]'],
    "text for an attachment": [f'451-["message",{PLACE}]', '42["message"]'],
    "a CONNECT for an attachment": [f'451-["message",{PLACE}]', "40/custom,"],
    "one attachment too many": [f'451-["message",{PLACE}]', b"1", b"2"],
    "place -1": ['451-["message",{"_placeholder":true,"num":-1}]', b"1"],
    "place 1 of 1": ['451-["message",{"_placeholder":true,"num":1}]', b"1"],
    "place 10 ** 30": ['451-["message",{"_placeholder":true,"num":1' + "0" * 30 + "}]", b"1"],
    "place true": ['452-["message",{"_placeholder":true,"num":true}]', b"1", b"2"],
    "place false": ['451-["message",{"_placeholder":true,"num":false}]', b"1"],
    "place 0.0": ['451-["message",{"_placeholder":true,"num":0.0}]', b"1"],
    "place text": ['451-["message",{"_placeholder":true,"num":"0"}]', b"1"],
    "no place": ['451-["message",{"_placeholder":true}]', b"1"],
    "place -1 in an ack": ['461-1[{"_placeholder":true,"num":-1}]', b"1"],
    "bytes for a name": [f"451-[{PLACE}]", b"message"],
    "the name connect": ['42["connect",{}]'],
    "the name connect_error": ['42["connect_error"]'],
    "the name disconnect": ['421["disconnect","why"]'],
    "the name disconnect, with bytes": [f'451-["disconnect",{PLACE}]', b"1"],
}


@pytest.mark.parametrize("packets", BROKEN.values(), ids=BROKEN)
async def test_what_is_no_packet_ends_the_connection(
    house: House, kind: str, packets: list[Packet]
) -> None:
    """The client is closed, and its neighbour goes on, when a packet is none."""
    link, neighbour = await house.link(kind), await house.link(kind)
    await entered(link)
    await entered(neighbour)
    calls: list[object] = []

    async def gone(sid: str, reason: str) -> None:
        calls.append(reason)

    house.server.on("disconnect", gone)
    await link.send(*packets)
    assert await link.ended() == broken(kind)
    await neighbour.send('42["message",1]')
    # One attachment too many comes behind an event that was whole.
    assert await heard(neighbour) == ("2", "/", None, ["message-back", 1])
    assert calls == [house.server.reason.SERVER_DISCONNECT]
    assert len(house.eio.sockets) == 1


async def test_attachments_that_never_come_are_not_kept(house: House, kind: str) -> None:
    """Nothing is left of half a packet when its client is gone."""
    link = await house.link(kind)
    await entered(link)
    connection = house.eio.sockets[link.opened["sid"]]
    await link.send(f'452-["message",{PLACE}]', b"1", "1")
    await link.ended()
    assert connection.incomplete is None
