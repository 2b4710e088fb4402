"""Random requests about rooms, each new text with a number of its own to be recognised by."""

import re
from typing import Any

from tests.namespaces.chat.model import STAFF, Room, Wire
from tests.namespaces.chat.model_requests import Model

TEXT = re.compile(r"<\d+>")

ROOMS = 3  # at once, beside direct ones
KINDS = (
    *("chat",) * 14,
    *("create_room",) * 4,
    *("join_room",) * 8,
    *("invite", "kick", "update_room", "react", "edit_message", "read") * 4,
    *("ban", "approve", "mute", "set_role", "leave_room", "watch", "delete_message") * 3,
    *("unban", "group", "unwatch", "private", "retry", "wait", "reconnect") * 2,
    *("typing", "signal", "delete_room"),
)
TYPES = ("public", "public", "private", "group")
AT_FIRST: tuple[Wire, ...] = (
    {},
    {"is_private": True},
    {"require_approval": True},
    {"max_members": 3},
    {"mute_all": True, "allowed_types": ["text"]},
    {"is_private": True, "require_approval": True},
)
LATER: tuple[Wire, ...] = (
    {"is_private": True},
    {"is_private": False},
    {"mute_all": True},
    {"mute_all": False},
    {"max_members": 2},
    {"max_members": 4, "allowed_types": ["text", "image"]},
    {"require_approval": True, "retention_days": 7},
    {"require_approval": False, "retention_days": 0},
)


class Asking:
    """Makes requests of random numbers, mostly such that something comes of them."""

    def __init__(self, model: Model, names: tuple[str, ...]) -> None:
        self._model = model
        self._names = names
        self._asked: list[tuple[str, Wire]] = []
        self._numbers = 0

    def request(self, kind: str, who: int, a: int, b: int) -> tuple[str, Wire]:
        """Return who asks what; sometimes the same again as somebody did before."""
        if kind == "retry" and self._asked:
            return self._asked[a % len(self._asked)]
        user, ask = self._new(kind, who, a, b)
        self._asked.append((user, ask))
        return user, ask

    def _new(self, kind: str, who: int, a: int, b: int) -> tuple[str, Wire]:
        every = list(self._model.rooms.values())
        live = [room for room in every if not room.deleted]
        user, other = self._name(who), self._name(a)
        if not live or (kind == "create_room" and len(live) < ROOMS):
            return user, self._numbered("create_room", **self._new_room(a, b))
        if kind == "private":
            return user, self._numbered("private", to=other, content=self._content(a, b))
        rooms = every if b % 16 == 0 else live
        room = rooms[b % len(rooms)]
        if who & 8 and room.inside:
            user = next((u for u in room.inside if room.role(u) in STAFF), room.inside[0])
        if kind in ("edit_message", "delete_message", "react"):
            ids = [m["id"] for m in room.messages if "id" in m and (m["from"] == user or a & 4)]
            if ids:
                return user, self._change(kind, ids[-1 - a % min(len(ids), 4)], b)
        return user, self._about(kind, room, a, b)

    def _about(self, kind: str, room: Room, a: int, b: int) -> Wire:  # noqa: PLR0911 (a table)
        match kind:
            case "invite" | "approve" | "kick" | "ban" | "unban" | "mute" | "set_role":
                about = {"room_id": room.id, "user_id": self._name(a)}
                return self._numbered(kind, **about, **_how(kind, b))
            case "update_room":
                return self._numbered(kind, room_id=room.id, **self._changes(room, a, b))
            case "delete_room":
                return self._numbered(kind, room_id=room.id)
            case "join_room" | "leave_room" | "watch" | "unwatch":
                return {"event": kind, "room_id": room.id}
            case "read":
                return {"event": kind, "room_id": room.id, "seq": a % (room.head + 3)}
            case "typing":
                return {"event": kind, "room_id": room.id, "typing": True}
            case "signal":
                return {"event": kind, "room_id": room.id, "name": "ping", "data": self._text()}
            case _:
                event = "group" if kind == "group" else "chat"
                content = self._content(a, b, room)
                return self._numbered(event, room_id=room.id, content=content)

    def _name(self, number: int) -> str:
        return self._names[number % len(self._names)]

    def _numbered(self, event: str, **fields: Any) -> Wire:
        self._numbers += 1
        return {"event": event, "client_id": f"request-{self._numbers:04d}", **fields}

    def _text(self, before: str = "") -> str:
        self._numbers += 1
        return f"{before}<{self._numbers}>"

    def _new_room(self, a: int, b: int) -> Wire:
        return {
            "type": TYPES[a % len(TYPES)],
            "name": self._text(("Tea ", "tea ", "Cake ")[b % 3]),
            "description": self._text(),
            "members": [name for place, name in enumerate(self._names) if b >> place & 1],
            "settings": AT_FIRST[a // 4 % len(AT_FIRST)],
        }

    def _changes(self, room: Room, a: int, b: int) -> Wire:
        changes: Wire = {"settings": LATER[a % len(LATER)]}
        if b & 2:
            changes["name"] = self._text()
        if b & 4:
            changes["description"] = ("", self._text())[b // 8 % 2]
        return {"changes": changes, **({"if_rev": room.rev + a // 8 % 2} if b & 32 else {})}

    def _content(self, a: int, b: int, room: Room | None = None) -> Wire:
        content: Wire = {"message_type": ("text", "text", "image")[a % 3], "text": self._text()}
        if content["message_type"] == "image":
            content["image"] = f"https://example.org/{content['text']}"
        if a & 8:
            content["mentions"] = [self._name(a // 16)]
        known = [m["id"] for m in room.messages if "id" in m] if room is not None else []
        if b & 32 and known:
            content["reply_to"] = known[a % len(known)]
        return content

    def _change(self, event: str, message_id: str, b: int) -> Wire:
        fields: Wire = {"message_id": message_id}
        if event == "edit_message":
            fields["content"] = self._content(b // 2, 0)
        elif event == "react":
            fields |= {"emoji": "👍🎉"[b // 2 % 2], "on": b // 4 % 3 > 0}
        return self._numbered(event, **fields)


def _how(kind: str, b: int) -> Wire:
    if kind == "mute":
        return {"muted_for_ms": (0, 30_000, 100_000)[b // 2 % 3]}
    if kind == "set_role":
        return {"role": ("admin", "member", "owner")[b // 2 % 3]}
    return {}
