"""What is stored, read by a connection of the test's own and without the code that it tests."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

from pymongo import MongoClient

from tests import mongod

Row = dict[str, Any]

_NAMES = (
    *("rev", "seq", "kind", "id", "from", "client_id"),
    *("type", "content", "at", "deleted"),
)
_ROWS = (
    "SELECT rev, seq, kind, message_id, sender, client_id, type, content, state_rev, deleted "
    "FROM log WHERE room_id = ? ORDER BY rev"
)
_HEADS = (
    "SELECT room_id, deleted, (SELECT max(rev) FROM log WHERE log.room_id = rooms.room_id) "
    "FROM rooms"
)
_MEMBERS = "SELECT user_id, role, state, visible_from_seq FROM members WHERE room_id = ?"


class Ledger(Protocol):
    """The logs of every room."""

    def heads(self) -> Iterator[tuple[str, bool, int | None]]:
        """Yield each room, whether it is deleted, and its newest position."""
        ...

    def rows(self, room_id: str) -> list[Row]:
        """Return the rows of a log, each with the names of `_NAMES`."""
        ...

    def members(self, room_id: str) -> dict[str, tuple[str, str, int]]:
        """Return everybody's role, state and ``visible_from_seq``."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


class SqliteLedger:
    """See `Ledger`."""

    def __init__(self, folder: Path) -> None:
        self._file = sqlite3.connect(folder / "parley.sqlite3")

    def heads(self) -> Iterator[tuple[str, bool, int | None]]:
        """See `Ledger`."""
        yield from self._file.execute(_HEADS).fetchall()

    def rows(self, room_id: str) -> list[Row]:
        """See `Ledger`."""
        found = self._file.execute(_ROWS, [room_id]).fetchall()
        return [dict(zip(_NAMES, row, strict=True)) for row in found]

    def members(self, room_id: str) -> dict[str, tuple[str, str, int]]:
        """See `Ledger`."""
        found = self._file.execute(_MEMBERS, [room_id]).fetchall()
        return {user: (role, state, floor) for user, role, state, floor in found}

    def close(self) -> None:
        """See `Ledger`."""
        self._file.close()


class MongoLedger:
    """See `Ledger`."""

    def __init__(self, name: str) -> None:
        self._client: MongoClient[Row] = mongod.client()
        self._database = self._client[name]

    def heads(self) -> Iterator[tuple[str, bool, int | None]]:
        """See `Ledger`."""
        for room in self._database["rooms"].find():
            log = {"room_id": room["_id"]}
            newest = self._database["messages"].find_one(log, sort=[("rev", -1)])
            yield room["_id"], room["deleted"], newest["rev"] if newest is not None else None

    def rows(self, room_id: str) -> list[Row]:
        """See `Ledger`."""
        found = self._database["messages"].find({"room_id": room_id}).sort("rev", 1)
        return [
            {
                **{name: row.get(name) for name in _NAMES},
                "id": row.get("message_id", row["_id"]),
                "seq": row.get("seq", row["rev"]),
                "at": row.get("state_rev"),
                "deleted": row.get("deleted", False),
            }
            for row in found
        ]

    def members(self, room_id: str) -> dict[str, tuple[str, str, int]]:
        """See `Ledger`."""
        found = self._database["members"].find({"room_id": room_id})
        return {m["user_id"]: (m["role"], m["state"], m["visible_from_seq"]) for m in found}

    def close(self) -> None:
        """See `Ledger`."""
        self._client.close()
