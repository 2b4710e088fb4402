"""Engine.IO connections by hand, packet by packet, over each transport and after an upgrade.

A packet is text that begins with its digit, or the bytes of a binary message.
"""

import base64
import json
import re
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any, Self

import aiohttp
from yarl import URL

WAIT_S = 10.0  # for one packet; far more than any takes
NOOP = "6"

Packet = str | bytes


class Closed(Exception):
    """The server has ended the connection; the code is that of the close frame."""

    def __init__(self, code: int | None) -> None:
        super().__init__(f"closed with {code}")
        self.code = code


class Link(ABC):
    """One Engine.IO connection."""

    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        """Take the URL of the server, its path included."""
        self.http = http
        self.url = URL(url).with_query(EIO="4")
        self.opened: Mapping[str, Any] = {}

    @abstractmethod
    async def open(self) -> Self:
        """Open it; what the server says of itself is in `opened`."""

    @abstractmethod
    async def send(self, *packets: Packet) -> None:
        """Send packets, on polling in one body."""

    @abstractmethod
    async def receive(self) -> Packet:
        """Return the next packet; raise `Closed` when there is none any more."""

    async def ended(self) -> int | None:
        """Pass over what still comes and return the code that the server closes with."""
        try:
            while True:
                await self.receive()
        except Closed as closed:
            return closed.code

    async def up_to(self, last: Packet) -> list[Packet]:
        """Return what comes, up to and with one packet."""
        heard = [await self.receive()]
        while heard[-1] != last:
            heard.append(await self.receive())
        return heard

    async def leave(self) -> None:
        """End it, by Engine.IO's own packet."""
        await self.send("1")

    def met(self, packet: Packet) -> None:
        """Take the packet that opens a connection."""
        assert isinstance(packet, str)
        assert packet[:1] == "0", packet
        self.opened = json.loads(packet[1:])
        self.url = self.url.update_query(sid=self.opened["sid"])


class PollingLink(Link):
    """Long polling."""

    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        super().__init__(http, url)
        self.url = self.url.update_query(transport="polling")
        self._heard: deque[Packet] = deque()

    async def open(self) -> Self:
        """See `Link`."""
        status, body = await self.poll()
        assert status == 200, body
        self.met(body)
        return self

    async def send(self, *packets: Packet) -> None:
        """See `Link`; a refusal shows in what is received."""
        status, answer = await self.post(body_of(packets))
        assert status != 200 or answer == "ok"

    async def receive(self) -> Packet:
        """See `Link`."""
        while not self._heard:
            status, body = await self.poll()
            if status != 200:
                raise Closed(None)
            self._heard += (packet for packet in packets_in(body) if packet != NOOP)
        return self._heard.popleft()

    async def poll(self) -> tuple[int, str]:
        """Poll once; return the status and the body."""
        async with self.http.get(self.url) as response:
            return response.status, await response.text()

    async def post(self, body: bytes) -> tuple[int, str]:
        """Post a body; return the status and the answer."""
        async with self.http.post(self.url, data=body) as response:
            return response.status, await response.text()


class WebSocketLink(Link):
    """WebSocket from the beginning."""

    websocket: aiohttp.ClientWebSocketResponse

    async def open(self) -> Self:
        """See `Link`."""
        await self.dial()
        self.met(await self.receive())
        return self

    async def dial(self) -> None:
        """Make the WebSocket's handshake."""
        url = self.url.update_query(transport="websocket")
        self.websocket = await self.http.ws_connect(url, max_msg_size=0, autoping=False)

    async def send(self, *packets: Packet) -> None:
        """See `Link`."""
        for packet in packets:
            if isinstance(packet, bytes):
                await self.websocket.send_bytes(packet)
            else:
                await self.websocket.send_str(packet)

    async def receive(self) -> Packet:
        """See `Link`."""
        frame = await self.websocket.receive(timeout=WAIT_S)
        if frame.type not in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
            raise Closed(self.websocket.close_code)
        packet: Packet = frame.data
        return packet


class UpgradedLink(WebSocketLink):
    """WebSocket that took over from long polling."""

    async def open(self) -> Self:
        """See `Link`."""
        polling = await PollingLink(self.http, str(self.url.with_query(None))).open()
        return await self.take_over(polling)

    async def take_over(self, polling: PollingLink) -> Self:
        """Go on where ``polling`` is; none of its polls may wait."""
        self.opened = polling.opened
        self.url = polling.url
        await self.dial()
        await self.send("2probe")
        assert await self.receive() == "3probe"
        await self.send("5")
        return self


LINKS: Mapping[str, type[Link]] = {
    "websocket": WebSocketLink,
    "polling": PollingLink,
    "upgrade": UpgradedLink,
}


def body_of(packets: Iterable[Packet]) -> bytes:
    """Return the body that carries packets over polling."""
    return "\x1e".join(
        "b" + base64.b64encode(packet).decode() if isinstance(packet, bytes) else packet
        for packet in packets
    ).encode()


def packets_in(body: str) -> list[Packet]:
    """Return the packets of a polling body."""
    return [
        base64.b64decode(packet[1:]) if packet[:1] == "b" else packet
        for packet in body.split("\x1e")
    ]


_SOCKET_IO = re.compile(r"4(\d)(?:(\d+)-)?(?:(/[^,]*),)?(\d+)?", re.ASCII)


async def heard(link: Link) -> tuple[str, str, int | None, Any]:
    """Return the next Socket.IO packet: its type, namespace, id, and data with its bytes in it."""
    text = await link.receive()
    assert isinstance(text, str), text
    shape = _SOCKET_IO.match(text)
    assert shape, text
    kind, count, namespace, number = shape.groups()
    data = json.loads(text[shape.end() :]) if shape.end() < len(text) else None
    attachments = [await link.receive() for _ in range(int(count or 0))]
    id = None if number is None else int(number)
    return kind, namespace or "/", id, _filled(data, attachments)


def _filled(data: Any, attachments: list[Packet]) -> Any:
    whole: Any = data
    match whole:
        case {"_placeholder": True, "num": int(number)}:
            return attachments[number]
        case dict():
            return {key: _filled(value, attachments) for key, value in data.items()}
        case list():
            return [_filled(item, attachments) for item in data]
        case _:
            return data


async def join(link: Link, namespace: str = "/", auth: Any = None) -> str:
    """Join a namespace and return the client's id there."""
    text = "" if auth is None else json.dumps(auth)
    await link.send("40" + ("" if namespace == "/" else f"{namespace},") + text)
    kind, where, number, data = await heard(link)
    assert (kind, where, number, list(data)) == ("0", namespace, None, ["sid"])
    sid: str = data["sid"]
    return sid
