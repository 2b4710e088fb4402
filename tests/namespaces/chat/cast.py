"""Rooms with somebody of every standing in them."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from parley.storage.ids import direct_room_id
from parley.storage.models import Draft, RoomType, Timestamp, UserId
from tests.clients import new_client_id
from tests.namespaces.chat.grid import ACTORS
from tests.namespaces.chat.house import START, House
from tests.storage.drafts import a_room, banned, joined, member, said

SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "": {},
    "mute_all": {"mute_all": True},
    "only_images": {"allowed_types": ["image"]},
    "require_approval": {"require_approval": True},
    "full": {"max_members": 7},  # as many as `_founding` lets in
}
"""What the grid's ``if`` means."""

_HOUR = 3_600_000
_serial = itertools.count(1)


class Cast:
    """A room, and two people of every standing: one who does things, one they are done to."""

    def __init__(self, house: House, kind: str, setting: str) -> None:
        self.kind = kind
        self._house = house
        self._number = next(_serial)
        self._messages: dict[str, str] = {}  # ids, by author
        settings = dict(SETTINGS[setting])
        if kind == "unlisted":
            settings["is_private"] = True
        self.room = a_room(
            room_type=RoomType.PUBLIC if kind == "unlisted" else RoomType(kind),
            settings=settings,
            rev=1,
            **self._own(kind),
        )

    async def gather(self) -> "Cast":
        """Store all of it."""
        people = [*ACTORS, *(f"other {name}" for name in ACTORS)]
        messages = await self._house.build(
            self.room,
            self._acquainted() if self.kind == "direct" else self._founding(),
            [said(self.user(name), "hello") for name in people],
        )
        self._messages = {message.sender: message.id for message in messages}
        await self._house.chat.feeds.open(self.room.id)
        return self

    def user(self, name: str) -> UserId:
        """Return who somebody is; ``self`` is nobody in particular."""
        return UserId(f"{name.replace(' ', '_')}.{self._number}")

    def target(self, actor: str, target: str | None) -> UserId:
        """Return to whom something is done."""
        if target in ("self", None):
            return self.user(actor)
        return self.user(target if target == "owner" else f"other {target}")

    def request(self, action: str, actor: str, target: str | None) -> tuple[str, dict[str, Any]]:
        """Return the event and the payload of an action."""
        event, _, variation = action.partition(" ")
        whom = self.target(actor, target)
        payloads = {
            **self._said(self._messages[whom]),
            **self._about(whom, variation),
            **self._of_room(variation),
        }
        return event, payloads[event]

    def _said(self, message_id: str) -> dict[str, dict[str, Any]]:
        room_id, client_id = {"room_id": self.room.id}, {"client_id": new_client_id()}
        content = {"content": {"text": "hello there"}}
        message = {"message_id": message_id, **client_id}
        first = {"message_id": next(iter(self._messages.values())), **client_id}
        return {
            "chat": {**room_id, **client_id, **content},
            "group": {**room_id, **client_id, **content},
            "private": {"to": self.user("other member"), **client_id, **content},
            "typing": {**room_id, "typing": True},
            "signal": {**room_id, "name": "here"},
            "react": {**first, "emoji": "👍", "on": True},
            "edit_message": {**message, **content},
            "delete_message": message,
            "read": {**room_id, "seq": 1},
            "history": room_id,
            "sync": {"rooms": {self.room.id: None}},
        }

    def _about(self, whom: UserId, variation: str) -> dict[str, dict[str, Any]]:
        about = {"room_id": self.room.id, "user_id": whom, "client_id": new_client_id()}
        return {
            "invite": about,
            "approve": about,
            "kick": about,
            "ban": about,
            "unban": about,
            "mute": {**about, "muted_for_ms": 0 if variation else _HOUR},
            "set_role": {**about, "role": variation},
        }

    def _of_room(self, variation: str) -> dict[str, dict[str, Any]]:
        room_id, client_id = {"room_id": self.room.id}, {"client_id": new_client_id()}
        changes = {"name": self.room.name if variation == "unchanged" else "Coffee"}
        stale = {"if_rev": 0} if variation == "stale" else {}
        return {
            "room": room_id,
            "members": {**room_id, **({"state": "invited"} if variation else {})},
            "watch": room_id,
            "unwatch": room_id,
            "join_room": room_id,
            "leave_room": room_id,
            "update_room": {**room_id, **client_id, "changes": changes, **stale},
            "delete_room": {**room_id, **client_id},
        }

    def _own(self, kind: str) -> dict[str, Any]:
        if kind == "direct":
            return {"room_id": direct_room_id(self.user("member"), self.user("other member"))}
        return {"owner": self.user("owner")}

    def _founding(self) -> Sequence[Draft]:
        owner = self.user("owner")
        rows = [joined(owner, "owner", "created")]
        for name in ("admin", "member"):
            rows += [joined(self.user(n), name) for n in (name, f"other {name}", f"muted {name}")]
            muted = member(owner, self.user(f"muted {name}"), muted_for_ms=_HOUR)
            rows.append(replace(muted, created_at=Timestamp(START)))
        for name in ("", "other "):
            for state in ("invited", "pending"):
                rows.append(member(owner, self.user(name + state), state=state))
            rows.append(banned(owner, self.user(f"{name}banned")))
        return rows

    def _acquainted(self) -> Sequence[Draft]:
        return [joined(self.user(name), reason="created") for name in ("member", "other member")]
