"""Long polling by hand, request by request, where a library would not show or allow it."""

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator
from typing import Any, Self

import aiohttp
from yarl import URL

SEGMENT = 1_400  # bytes that a TCP segment carries over the internet


class Polling:
    """One Engine.IO connection over long polling."""

    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self._http = http
        self._url = URL(f"{url}/socket.io/?EIO=4&transport=polling")
        self._heard: list[str] = []

    async def open(self) -> Self:
        """Open the connection and join no namespace."""
        assert await self.poll() == 200
        opened = json.loads(self._heard[0][1:])
        self._url = self._url.update_query(sid=opened["sid"])
        return self

    async def connect(self, token: str) -> Self:
        """Open the connection, join ``/chat``, and take what comes until the catch-up is done."""
        await self.open()
        assert await self.post(f'40/chat,{{"token":"{token}"}}'.encode()) == 200
        while not any('"done":true' in packet for packet in self._heard):
            assert await self.poll() == 200
        return self

    async def poll(self) -> int:
        """Wait for packets and return the status."""
        async with self._http.get(self._url) as response:
            self._heard += (await response.text()).split("\x1e")
            return response.status

    async def post(self, body: bytes) -> int:
        """Send a body and return the status."""
        async with self._http.post(self._url, data=body) as response:
            return response.status

    async def begin_upgrade(self, *frames: str) -> None:
        """Open a WebSocket for this connection, send ``frames``, and lose it."""
        url = self._url.update_query(transport="websocket")
        async with self._http.ws_connect(url) as websocket:
            for frame in frames:
                await websocket.send_str(frame)

    async def ack(self, number: int) -> dict[str, Any]:
        """Poll until an ack has come and return its data."""
        start = f"43/chat,{number}["
        while not any(packet.startswith(start) for packet in self._heard):
            assert await self.poll() == 200
        (found,) = [packet for packet in self._heard if packet.startswith(start)]
        (ack,) = json.loads(found[len(start) - 1 :])
        assert ack["ok"], ack
        data: dict[str, Any] = ack["data"]
        return data

    def events(self, name: str) -> list[Any]:
        """Return the data of every event of a name that polls have brought."""
        start = f'42/chat,["{name}",'
        came = [packet for packet in self._heard if packet.startswith(start)]
        return [json.loads(packet.removeprefix("42/chat,"))[1] for packet in came]

    @contextlib.asynccontextmanager
    async def half_a_post(self, body: bytes) -> AsyncGenerator[None]:
        """Begin a POST of twice this body, and cut it off at the end of the block."""
        url = self._url
        _, writer = await asyncio.open_connection(url.host, url.port)
        head = f"POST {url.path_qs} HTTP/1.1\r\nHost: {url.authority}\r\n"
        writer.write(f"{head}Content-Length: {2 * len(body)}\r\n\r\n".encode() + body)
        async with self._http.get(url.origin() / "healthz"):
            yield  # its event loop has turned: the half is there
        writer.transport.abort()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    async def post_slowly(self, body: bytes, *, chunked: bool) -> int:
        """POST so that the server has read each segment before the next one leaves."""
        url = self._url
        reader, writer = await asyncio.open_connection(url.host, url.port)
        length = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {len(body)}"
        head = f"POST {url.path_qs} HTTP/1.1\r\nHost: {url.authority}\r\n{length}\r\n\r\n"
        writer.write(head.encode())
        for start in range(0, len(body), SEGMENT):
            segment = body[start : start + SEGMENT]
            writer.write(b"%x\r\n%b\r\n" % (len(segment), segment) if chunked else segment)
            # Its event loop has turned when this is answered, and a segment is there already.
            async with self._http.get(url.origin() / "healthz") as response:
                assert response.status == 200
        if chunked:
            writer.write(b"0\r\n\r\n")
        answer = await reader.readuntil(b"\r\n")
        writer.close()
        await writer.wait_closed()
        return int(answer.split()[1])
