"""A room's log as it is stored, folded by the model: how everybody stood at each position."""

import json
from copy import deepcopy
from dataclasses import replace

from tests.namespaces.chat.ledger import Ledger
from tests.namespaces.chat.model import Room, Wire, subject


class Timeline:
    """The rows of one room, and the room as of each position."""

    def __init__(self, ledger: Ledger, room_id: str) -> None:
        self.rows: list[Wire] = ledger.rows(room_id)
        self.messages: dict[str, Wire] = {}
        room = Room(id=room_id, name="", type="public", owner=None, made_at=0)
        self.moments: list[Room] = [room]  # by position, from 0 on
        for row in self.rows:
            row["content"] = json.loads(row["content"] or "{}")
            if row["kind"] == "create":
                self.messages[row["id"]] = row
                room.messages.append(row)
            after = replace(self.moments[-1], head=row["rev"])
            after.people, after.settings = deepcopy(after.people), dict(after.settings)
            _apply(after, row)
            self.moments.append(after)

    @property
    def newest(self) -> dict[str, int]:
        """The position of each message's newest row."""
        return {row["id"]: row["rev"] for row in self.rows}

    @property
    def head(self) -> int:
        """Where the log ends."""
        return len(self.rows)

    @property
    def now(self) -> Room:
        """The room as of its head."""
        return self.moments[-1]

    def stored(self, sender: str, client_id: str) -> Wire | None:
        """Return the row of a request."""
        mine = (r for r in self.rows if (r["from"], r["client_id"]) == (sender, client_id))
        return next(mine, None)

    def could_see(self, user: str, id: str, rev: int, *, as_visitor: bool) -> bool:
        """Whether at ``rev`` or later there was a moment at which she could read a message."""
        message = self.messages.get(id)
        if message is None:
            return False
        if subject(message) == user:
            return True
        return any(
            room.shows(user, message)
            for room in self.moments[rev:]
            if room.role(user) or (as_visitor and room.reads(user))
        )

    def was_inside(self, user: str, rev: int) -> bool:
        """Whether she was a member right before or right after a position."""
        return any(room.role(user) for room in self.moments[max(0, rev - 1) : rev + 1])


def _apply(room: Room, row: Wire) -> None:  # noqa: C901 (a table of rows)
    """Fold one row into the room."""
    if row["kind"] != "create" or row["type"] not in ("join_room", "leave_room", "room_update"):
        return
    content = row["content"]
    if "changed" in content:
        room.settings |= content["changed"].get("settings", {})
        room.name = content["changed"].get("name", room.name)
        return
    about = content.get("member", content)
    user = about["user_id"]
    if row["type"] == "join_room":
        sees_all = content["reason"] == "created" or not room.is_private
        room.stand(user, "member", 0).floor = 0 if sees_all else row["rev"]
        if content["role"] == "owner":
            room.belong(user, 0)
    elif row["type"] == "leave_room":
        room.people.pop(user, None)
        if content["reason"] == "banned":
            room.stand(user, "banned", 0)
        if user == room.owner:
            room.belong(content.get("owner"), 0)
    elif "state" in about:
        room.stand(user, about["state"], 0)
    elif "role" in about:
        room.become(user, about["role"])
        if about["role"] == "owner":
            room.become(row["from"], "admin")
            room.belong(user, 0)
    elif "muted_for_ms" in about:
        room.people[user].muted_until = about["muted_for_ms"]
    else:
        room.people.pop(user, None)
