"""Stock socket.io-client, in a Node.js process that tests/e2e/node/client.mjs makes of it."""

import asyncio
import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from tests.clients import WAIT_S, ChatClient, Lost, Reply, auth_of

DRIVER = Path(__file__).parent / "e2e" / "node" / "client.mjs"
LINE_BYTES = 16_000_000

Command = dict[str, Any]


class Node:
    """One Node.js process with any number of clients."""

    def __init__(self) -> None:
        self._clients: dict[int, NodeClient] = {}
        self._numbers = itertools.count(1)
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None

    async def start(self) -> "Node":
        """Start the process; what it writes to stderr goes to the test's."""
        self._process = await asyncio.create_subprocess_exec(
            "node",
            str(DRIVER),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=LINE_BYTES,
        )
        self._reader = asyncio.create_task(self._read())
        return self

    async def close(self) -> None:
        """End the process with all its clients."""
        if self._process is None or self._reader is None:
            return
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._process.wait()
        await self._reader

    def enter(self, client: "NodeClient") -> int:
        """Return the number under which the process knows a client from now on."""
        number = next(self._numbers)
        self._clients[number] = client
        return number

    def tell(self, commands: Iterable[Command]) -> None:
        """Have commands done in one tick."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(list(commands)).encode() + b"\n")

    async def _read(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            said = json.loads(line)
            self._clients[said["client"]].hear(said)


class NodeClient(ChatClient):
    """socket.io-client; comes back by itself unless ``reconnection=False``.

    Options are those of ``io()``.
    """

    def __init__(self, node: Node, namespace: str = "/chat", **options: Any) -> None:
        super().__init__()
        self.namespace = namespace
        self._node = node
        self._number = node.enter(self)
        self._options = {
            "reconnectionDelay": 100,
            "reconnectionDelayMax": 100,
            "randomizationFactor": 0,
            **options,
        }
        self._replies: dict[int, tuple[str, Reply]] = {}
        self._numbers = itertools.count(1)
        self._at: list[Command] = []

    async def connect(
        self,
        url: str,
        token: str | None,
        *,
        since: Mapping[str, str | None] | None = None,
        transports: list[str] | None = None,
    ) -> Self:
        """See `ChatClient`; raises ConnectionRefusedError with what ``connect_error`` said."""
        self.auth = auth_of(token, since)
        options = {**self._options, "transports": transports or ["websocket"]}
        address = f"{url}{self.namespace}"
        connect = self._command("connect", url=address, auth=self.auth, options=options)
        self._node.tell([connect, *self._at])
        async with asyncio.timeout(WAIT_S):
            met = asyncio.ensure_future(self.event("@connect"))
            failed = asyncio.ensure_future(self.event("@connect_error"))
            await asyncio.wait([met, failed], return_when=asyncio.FIRST_COMPLETED)
        for task in (met, failed):
            task.cancel()
        if not self.connected.is_set():
            raise ConnectionRefusedError(self.of("@connect_error"))
        return self

    async def emit(self, event: str, payload: Any, reply: Reply | None = None) -> None:
        """See `ChatClient`."""
        self._node.tell([self._emit_command(event, payload, reply)])

    async def send_message(self, text: str) -> None:
        """See `ChatClient`."""
        self._node.tell([self._command("message", text=text)])

    async def close(self) -> None:
        """See `ChatClient`."""
        self._node.tell([self._command("disconnect")])
        if self.connected.is_set():
            await self.disconnected.wait()

    def identify(self, token: str, since: Mapping[str, str | None] | None = None) -> None:
        """See `ChatClient`."""
        super().identify(token, since)
        self._node.tell([self._command("identify", auth=self.auth)])

    def at(self, moment: str, events: Sequence[tuple[str, Any]]) -> list[Reply]:
        """Send events in the tick of ``connect``, ``upgrading`` or ``upgrade``.

        To be called before `connect`, so that no moment is missed. What is sent before the
        CONNECT answer is kept and leaves with it, before what is sent at ``connect``.
        """
        loop = asyncio.get_running_loop()
        replies: list[Reply] = [loop.create_future() for _ in events]
        commands = [
            {**self._emit_command(*event, reply), "keep": True}
            for event, reply in zip(events, replies, strict=True)
        ]
        self._at.append(self._command("at", moment=moment, commands=commands))
        return replies

    def hear(self, said: Mapping[str, Any]) -> None:
        """Take one line of the process."""
        data = said.get("data")
        match said.get("name"):
            case None:
                self._answer(said)
            case "@connect":
                self._is_connected(data)
            case "@disconnect":
                self._is_disconnected(data)
            case name:
                self._record(name, data)

    async def _emit_all(self, events: Iterable[tuple[str, Any, Reply]]) -> None:
        self._node.tell([self._emit_command(*event) for event in events])

    def _emit_command(self, event: str, payload: Any, reply: Reply | None) -> Command:
        command = self._command("emit", event=event, args=[payload])
        if reply is not None:
            command["ack"] = next(self._numbers)
            self._replies[command["ack"]] = (event, reply)
        return command

    def _answer(self, said: Mapping[str, Any]) -> None:
        event, reply = self._replies.pop(said["ack"])
        if "lost" not in said:
            self._answered(event, reply, said["data"])
        elif not reply.done():
            reply.set_exception(Lost(said["lost"]))

    def _command(self, do: str, **more: Any) -> Command:
        return {"client": self._number, "do": do, **more}
