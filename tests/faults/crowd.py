"""A crowd in a process of its own: ``python -m tests.faults.crowd``, led by its standard input.

The first line is JSON: the server's URL, and a token and a room for each. Then ``come`` brings all
in and has them join, ``storm`` cuts all connections and has all come back at the same moment,
``move URL …`` has all come back by other servers, as many by each, when theirs is gone, and ``last
{room: position}`` waits until all have heard so far and looks at what each has heard.
"""

import asyncio
import contextlib
import itertools
import json
import sys
import time
from typing import Any

from tests.faults.measures import tell
from tests.faults.wire import TEXT, Wire, frame

AT_ONCE = 50  # who come in peace
PEACE_S = 60.0
EVENT, ACK = b"42/chat,", b"43/chat,1"


class Guest:
    """One who hears a room, over as many connections as it takes."""

    def __init__(self, url: str, token: str, room_id: str) -> None:
        self.revs: list[int] = []
        self._url = url
        self._token = token
        self._room_id = room_id
        self._cursor: str | None = None
        self._heard = asyncio.Event()
        self._in = asyncio.Event()
        self._wire: Wire | None = None
        self._reading: asyncio.Task[None] | None = None

    async def come(self) -> None:
        """Connect, with the cursor that there is, and wait until the catch-up is done."""
        self._in.clear()
        self._wire = await Wire.dial(self._url)
        self._reading = asyncio.create_task(self._read(self._wire))
        auth: dict[str, Any] = {"token": self._token}
        if self._cursor is not None:
            epoch = self._cursor.partition(".")[0]
            auth["since"] = {self._room_id: f"{epoch}.{self.revs[-1]}"}
        self._wire.send(frame(f"40/chat,{json.dumps(auth)}".encode()))
        await self._in.wait()

    async def join(self) -> None:
        """Become a member; what is heard counts from here on."""
        assert self._wire is not None
        room = json.dumps(["join_room", {"room_id": self._room_id}])
        self._wire.send(frame(f"42/chat,1{room}".encode()))
        while self._cursor is None:
            await self.hear_more()

    async def cut(self) -> None:
        """Lose the connection without a word."""
        assert self._wire is not None
        assert self._reading is not None
        self._wire.reset()
        await self._reading
        await self._wire.close()

    async def lose(self) -> None:
        """Wait until the server is gone."""
        assert self._wire is not None
        assert self._reading is not None
        await self._reading
        await self._wire.close()

    async def move(self, url: str) -> None:
        """Come back by another server."""
        self._url = url
        await self.come()

    async def hear_more(self) -> None:
        """Wait until something comes."""
        self._heard.clear()
        await self._heard.wait()

    async def hears(self, last: int) -> None:
        """Wait until the room has come that far, and see that nothing came twice or not at all."""
        while self.revs[-1] < last:
            await self.hear_more()
        assert self.revs == list(range(self.revs[0], last + 1)), self.revs

    async def _read(self, wire: Wire) -> None:
        with contextlib.suppress(EOFError, ConnectionError):
            while True:
                opcode, payload = await wire.receive()
                if payload == b"2":
                    wire.send(frame(b"3"))
                elif opcode == TEXT and payload.startswith(EVENT):
                    self._take(*json.loads(payload[len(EVENT) :]))
                elif opcode == TEXT and payload.startswith(ACK):
                    sync = json.loads(payload[len(ACK) :])[0]["data"]["sync"]
                    self._cursor = sync["upto"]
                    self.revs.append(sync["head"])
                self._heard.set()

    def _take(self, name: str, data: dict[str, Any]) -> None:
        if name == "sync":
            part = data["rooms"].get(self._room_id, {})
            assert part.get("state", "ok") == "ok"
            self.revs += [event["rev"] for event in part.get("events", ())]
            if data.get("done"):
                self._in.set()
        elif not self._in.is_set():
            pass  # live, and the sync that is under way brings it (docs/protocol.md, rule 1)
        elif "rev" in data and self._cursor is not None and data["rev"] > self.revs[0]:
            self.revs.append(data["rev"])


async def lead() -> None:
    """Do what is asked for, line by line."""
    url, places = json.loads(await asyncio.to_thread(sys.stdin.readline))
    guests = [Guest(url, token, room_id) for token, room_id in places]
    rooms = [room_id for _, room_id in places]
    door = asyncio.Semaphore(AT_ONCE)

    async def arrive(guest: Guest) -> None:
        async with door:
            await guest.come()
            await guest.join()

    while line := await asyncio.to_thread(sys.stdin.readline):
        command, _, rest = line.strip().partition(" ")
        began = time.monotonic()
        if command == "come":
            await asyncio.gather(*map(arrive, guests))
        elif command == "storm":
            await asyncio.gather(*(guest.cut() for guest in guests))
            tell("all cut off")
            await asyncio.gather(*(guest.come() for guest in guests))
        elif command == "move":
            await asyncio.gather(*(guest.lose() for guest in guests))
            tell("all cut off")
            ways = itertools.cycle(rest.split())
            await asyncio.gather(*(g.move(way) for g, way in zip(guests, ways, strict=False)))
        elif command == "last":
            heads = json.loads(rest)
            hearing = (g.hears(heads[room]) for g, room in zip(guests, rooms, strict=True))
            await asyncio.wait_for(asyncio.gather(*hearing), PEACE_S)
        tell(f"done: {command} in {time.monotonic() - began:.2f} s")


if __name__ == "__main__":
    asyncio.run(lead())
