"""A client that says exactly what a test wants, over WebSocket, where a library would refuse."""

import asyncio
import itertools
import re
from collections.abc import Mapping
from typing import Any, Self

import aiohttp
import orjson

from tests.clients import WAIT_S, ChatClient, Reply, auth_of

_NAMESPACE = re.compile(r"\A/[^,]*,?")
_NAME = re.compile(r'\["(\w+)"')  # of the event, in arguments that may be no JSON at all


class RawClient(ChatClient):
    """Engine.IO packets by hand; also the cheapest client where a test needs a thousand."""

    def __init__(
        self, http: aiohttp.ClientSession, *, compress: int = 0, namespace: str = "/chat"
    ) -> None:
        super().__init__()
        self.namespace = namespace
        self._compress = compress  # bits of the window to ask for; 0: does not ask
        self.reading = asyncio.Event()  # cleared, it leaves what comes to the network
        self.reading.set()
        self._http = http
        self._websocket: aiohttp.ClientWebSocketResponse | None = None
        self._reader: asyncio.Task[None] | None = None
        self._numbers = itertools.count(1)
        self._replies: dict[int, tuple[str, Reply]] = {}

    async def open(self, url: str) -> Self:
        """Open the Engine.IO connection and join no namespace."""
        websocket = await self._http.ws_connect(
            f"{url}/socket.io/?EIO=4&transport=websocket",
            max_msg_size=0,
            autoping=False,
            compress=self._compress,
        )
        opened = await websocket.receive_str(timeout=WAIT_S)
        assert opened.startswith("0{")
        self._websocket = websocket
        self._reader = asyncio.create_task(self._read())
        return self

    async def connect(
        self,
        url: str,
        token: str | None,
        *,
        since: Mapping[str, str | None] | None = None,
        transports: list[str] | None = None,
    ) -> Self:
        """See `ChatClient`."""
        self.auth = auth_of(token, since)
        await self.open(url)
        await self.send_message(f"0{self.namespace},{orjson.dumps(self.auth).decode()}")
        await asyncio.wait_for(self.connected.wait(), WAIT_S)
        return self

    @property
    def compressed(self) -> bool:
        """Whether the server compresses for it."""
        return self._websocket is not None and bool(self._websocket.compress)

    async def emit(self, event: str, payload: Any, reply: Reply | None = None) -> None:
        """See `ChatClient`."""
        await self.emit_text(orjson.dumps([event, payload]).decode(), reply)

    async def emit_text(self, arguments: str, reply: Reply | None = None) -> None:
        """Send the text of an event's arguments as it is, its name first."""
        number = ""
        if reply is not None:
            number = str(next(self._numbers))
            name = _NAME.match(arguments)
            self._replies[int(number)] = (name[1] if name else "", reply)
        await self.send_message(f"2{self.namespace},{number}{arguments}")

    async def ack_text(self, arguments: str) -> dict[str, Any]:
        """Send an event as text and return its ack."""
        reply: Reply = asyncio.get_running_loop().create_future()
        self._pending.add(reply)
        try:
            await self.emit_text(arguments, reply)
            return await asyncio.wait_for(reply, WAIT_S)
        finally:
            self._pending.discard(reply)

    async def send_message(self, text: str) -> None:
        """See `ChatClient`."""
        await self.send_frame(f"4{text}")

    async def send_frame(self, frame: str | bytes) -> None:
        """Send one WebSocket frame as it is."""
        assert self._websocket is not None
        if isinstance(frame, bytes):
            await self._websocket.send_bytes(frame)
        else:
            await self._websocket.send_str(frame)

    async def close(self) -> None:
        """See `ChatClient`."""
        if self._websocket is None or self._reader is None:
            return
        await self._websocket.close()
        await self._reader

    async def _read(self) -> None:
        assert self._websocket is not None
        async for frame in self._websocket:
            await self.reading.wait()
            if frame.type is aiohttp.WSMsgType.PING:
                await self._websocket.pong(frame.data)
            elif frame.data == "2":
                await self._websocket.send_str("3")
            elif frame.type is aiohttp.WSMsgType.TEXT and frame.data[0] == "4":
                self._hear(frame.data[1], _NAMESPACE.sub("", frame.data[2:], count=1))
        self._is_disconnected({"code": self._websocket.close_code})

    def _hear(self, kind: str, text: str) -> None:
        match kind:
            case "0":
                self._is_connected(orjson.loads(text))
            case "1":
                self._record("@leave")
            case "2":
                name, *data = orjson.loads(text)
                self._record(name, data[0] if data else None)
            case "3":
                self._answer(text)
            case "4":
                self._record("@connect_error", orjson.loads(text))
            case _:
                raise AssertionError(f"an unexpected packet: {kind}{text}")

    def _answer(self, text: str) -> None:
        number, bracket, rest = text.partition("[")
        (ack,) = orjson.loads(bracket + rest)
        self._answered(*self._replies.pop(int(number)), ack)
