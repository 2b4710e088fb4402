"""The client's rule of docs/protocol.md, for a program that handles messages and keeps none.

Each room has a cursor: everything up to it was handled. It moves after a message was handled,
never before. So nothing is passed over; and what was handled when the program crashed, with the
cursor not moved yet, comes once more.
"""

import json
import logging
import os
from collections.abc import Awaitable, Callable
from itertools import islice
from pathlib import Path

from parley_client import Connection, Json

MAX_SINCE = 500  # rooms
LOG = {"chat", "group", "private", "join_room", "leave_room", "room_update", "skip"}

log = logging.getLogger(__name__)


class Cursors:
    """How far each room was handled, kept in a file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.rooms: dict[str, str | None] = json.loads(path.read_text()) if path.exists() else {}

    def since(self) -> dict[str, str | None]:
        """Return what to connect with; the server brings the other rooms as well."""
        return dict(islice(self.rooms.items(), MAX_SINCE))

    def move(self, room_id: str, cursor: str | None) -> None:
        """Keep a cursor; on disk when this returns."""
        self.rooms[room_id] = cursor
        self._write()

    def forget(self, room_id: str) -> None:
        """Keep nothing of a room."""
        self.rooms.pop(room_id, None)
        self._write()

    def _write(self) -> None:
        # Beside it, then in its place: whenever this ends, there is the old file or the new one.
        beside = self._path.with_suffix(".new")
        with beside.open("w") as file:
            json.dump(self.rooms, file)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self._path)


class Follower:
    """Hands on each change of each room, in order, from where the cursors are."""

    def __init__(
        self, connection: Connection, cursors: Cursors, handle: Callable[[Json], Awaitable[None]]
    ) -> None:
        self._connection = connection
        self._cursors = cursors
        self._handle = handle
        self._syncing = set(cursors.rooms)
        self._pushing = True  # the server is still answering `since`

    async def catch_up(self) -> None:
        """Handle what was missed; return when that is done."""
        while self._pushing:
            await self._next()

    async def run(self) -> None:
        """Handle what comes; ends with `Lost` or `Refused` only."""
        while True:
            await self._next()

    async def enter(self, room_id: str, part: Json) -> None:
        """Begin with a room that was joined or made just now; the ack had its part of a sync."""
        await self._take(room_id, part)
        if room_id in self._syncing:
            await self._sync(room_id)

    async def _next(self) -> None:
        name, payload = await self._connection.event()
        if name == "sync":
            await self._pushed(payload)
        elif name == "room_behind":
            await self._behind(payload["room_id"])
        elif name in LOG:
            await self._live(payload)

    async def _pushed(self, payload: Json) -> None:
        for room_id, part in payload["rooms"].items():
            await self._take(room_id, part)
        self._pushing = not payload.get("done")
        if not self._pushing:
            for room_id in tuple(self._syncing):  # rule 9: now they are ours to ask for
                await self._sync(room_id)

    async def _take(self, room_id: str, part: Json) -> None:
        # Rule 6: one room's part of a sync.
        if part["state"] in ("denied", "gone"):
            log.warning("Room %s is not ours any more", room_id)
            self._cursors.forget(room_id)
            self._syncing.discard(room_id)
            return
        if part["state"] == "reset":
            log.warning("Room %s: too much was missed, going on from its newest page", room_id)
        for change in part["events"]:
            await self._handle(change)
        self._cursors.move(room_id, part["upto"])  # never `head`: the page ends at `upto`
        if part["more"]:
            self._syncing.add(room_id)
        else:
            self._syncing.discard(room_id)

    async def _behind(self, room_id: str) -> None:
        if room_id not in self._syncing:  # rule 7
            await self._sync(room_id)

    async def _live(self, change: Json) -> None:
        room_id, rev = change["room_id"], change["rev"]
        if room_id in self._syncing:  # rule 1
            return
        epoch, _, position = (self._cursors.rooms.get(room_id) or ".-1").rpartition(".")
        if rev <= int(position):  # rule 2
            return
        if change.get("prev", rev - 1) > int(position):  # rule 3; rule 10 for a room unheard of
            await self._sync(room_id)
            return
        await self._handle(change)  # rule 4
        self._cursors.move(room_id, f"{epoch}.{rev}")

    async def _sync(self, room_id: str) -> None:
        self._syncing.add(room_id)
        while room_id in self._syncing:
            cursor = self._cursors.rooms.get(room_id)
            answer = await self._connection.request("sync", {"rooms": {room_id: cursor}})
            await self._take(room_id, answer["rooms"][room_id])
