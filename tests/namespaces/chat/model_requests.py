"""What requests do to the rooms of `model`, and why they are refused; from the document."""

import hashlib
from collections.abc import Callable
from typing import Any

from tests.namespaces.chat.model import (
    DEFAULTS,
    DIRECT,
    RANK,
    SPOKEN,
    STAFF,
    TALK,
    WAITING,
    Room,
    Wire,
    stamp,
)

Change = Callable[[], None]


class Refused(Exception):
    """A request is answered with one of these codes."""

    def __init__(self, *codes: str) -> None:
        super().__init__(*codes)
        self.codes = set(codes)


class Model:
    """All rooms, and what may be asked of them.

    A rule looks at a room and returns the change that a request makes, None if it makes none,
    or raises `Refused`. A retry gets its first answer whatever the rule says by now.
    """

    def __init__(self, now: Callable[[], int]) -> None:
        self.rooms: dict[str, Room] = {}
        self.now = now
        self._made: dict[tuple[str, str], str] = {}  # rooms by who made them under which client_id

    def act(self, user: str, ask: Wire, *, room_id: str = "", id: str = "") -> None:
        """Do what a request asks; ``room_id`` and ``id`` are of what it makes, from its ack."""
        if ask["event"] == "create_room":
            self._create(user, ask, room_id)
            return
        room = self._room(user, ask)
        rule = getattr(self, "_" + ask["event"])
        try:
            change = rule(room, user, {**ask, "id": id})
        except Refused as refused:
            if not _is_retry(room, user, ask):
                raise
            if ask["event"] not in SPOKEN:
                # The answer shows the room as it is now, so it may also be refused by now.
                raise Refused("", *refused.codes) from refused
        else:
            if not _is_retry(room, user, ask) and change is not None:
                change()

    def verdict(self, room: Room, user: str, ask: Wire) -> set[str]:
        """Return what comes of a request: ``change``, ``nothing``, or the codes of a refusal."""
        try:
            change = getattr(self, "_" + ask["event"])(room, user, {"id": "", **ask})
        except Refused as refused:
            return refused.codes
        return {"nothing" if change is None else "change"}

    def _room(self, user: str, ask: Wire) -> Room:
        if "message_id" in ask:
            return self._room_with(user, ask["message_id"])
        if ask["event"] == "private":
            return self._direct_room(user, ask["to"])
        room = self.rooms.get(ask["room_id"])
        if room is not None and (not room.deleted or ask["event"] == "delete_room"):
            return room
        if ask["event"] in ("leave_room", "unwatch"):
            return Room(id=ask["room_id"], name="", type="public", owner=None, made_at=0)
        raise Refused("not_found" if room is None else "gone")

    def _room_with(self, user: str, message_id: str) -> Room:
        for room in self.rooms.values():
            if room.role(user) and _find(room, user, message_id):
                return room
        raise Refused("not_found")

    def _direct_room(self, user: str, other: str) -> Room:
        if user == other:
            raise Refused("invalid")
        pair = "".join(f"{len(one)}:{one}" for one in sorted((user, other)))
        room_id = f"d-{hashlib.sha256(pair.encode()).hexdigest()[:32]}"
        if room_id not in self.rooms:
            room = Room(id=room_id, name="", type="direct", owner=None, made_at=self.now())
            self.rooms[room_id] = room
            self._enter(room, user, user, "created")
            self._enter(room, other, user, "created")
        return self.rooms[room_id]

    # Rooms themselves

    def _create(self, user: str, ask: Wire, room_id: str) -> None:
        key = (user, ask["client_id"])
        if key in self._made:
            _made_again(self.rooms[self._made[key]], user, ask)
            return
        settings = dict(ask.get("settings", {}))
        others = [other for other in dict.fromkeys(ask.get("members", ())) if other != user]
        _require(ask["type"] == "public" or settings.get("is_private") is not False, "invalid")
        most = int(settings.get("max_members") or 1_000)
        _require(len(others) < most, "invalid")
        room = Room(room_id, ask["name"], ask["type"], user, self.now(), settings=settings)
        room.description = ask.get("description", "")
        self.rooms[room_id], self._made[key] = room, room_id
        self._enter(room, user, user, "created", ask, role="owner")
        for other in others:
            self._enter(room, other, user, "created")

    def _update_room(self, room: Room, user: str, ask: Wire) -> Change | None:
        self._check(room, user, ask)
        settings = ask["changes"].get("settings", {})
        _require_all(
            conflict=ask.get("if_rev", room.rev) == room.rev,
            invalid=room.type == "public" or settings.get("is_private") is not False,
        )
        present = {"is_private": room.is_private, "retention_days": 0, **DEFAULTS, **room.settings}
        differing = {k: v for k, v in settings.items() if v != present[k]}
        words = {"name": room.name, "description": room.description}
        changed = {k: v for k, v in ask["changes"].items() if k in words and v != words[k]}
        changed |= {"settings": differing} if differing else {}

        def change() -> None:
            room.name = changed.get("name", room.name)
            room.description = changed.get("description", room.description)
            room.settings = {**room.settings, **differing}
            self._row(room, "room_update", user, {"changed": changed}, ask)
            room.rev, room.changed_at = room.head, self.now()

        return change if changed else None

    def _delete_room(self, room: Room, user: str, ask: Wire) -> Change | None:
        if room.deleted:
            _require(room.owner == user, "gone")
            return None
        self._check(room, user, ask)

        def change() -> None:
            room.deleted, room.head = True, 0
            room.people, room.messages = {}, []

        return change

    # In and out

    def _join_room(self, room: Room, user: str, ask: Wire) -> Change | None:
        state = room.state(user)
        if state == "member":
            return None
        asks = room.setting("require_approval") and room.owner is not None
        if state == "banned":
            _check_inside(room, user)
        if room.is_private and state != "invited" and not asks:
            raise Refused("forbidden" if state else "not_found")
        if asks and state != "invited":
            return None if state else lambda: self._wait(room, user, user, "pending", {})
        _check_space(room)
        role = "owner" if room.owner is None else "member"
        reason = "invited" if state == "invited" else "joined"
        return lambda: self._enter(room, user, user, reason, role=role)

    def _leave_room(self, room: Room, user: str, ask: Wire) -> Change | None:
        if room.state(user) in ("", "banned"):
            return None
        _require(room.type != "direct", "forbidden")
        return lambda: self._exit(room, user, user, "left", {})

    def _invite(self, room: Room, user: str, ask: Wire) -> Change | None:
        self._check(room, user, ask)
        guest, state = ask["user_id"], room.state(ask["user_id"])
        _require(state != "banned", "conflict")
        if not state:
            return lambda: self._wait(room, guest, user, "invited", ask)
        if state != "pending" or room.role(user) not in STAFF:
            return None
        _check_space(room)
        return lambda: self._enter(room, guest, user, "approved", ask)

    def _approve(self, room: Room, user: str, ask: Wire) -> Change | None:
        self._check(room, user, ask)
        guest, state = ask["user_id"], room.state(ask["user_id"])
        _require(state in ("pending", "member"), "not_found")
        if state == "member":
            return None
        _check_space(room)
        return lambda: self._enter(room, guest, user, "approved", ask)

    def _kick(self, room: Room, user: str, ask: Wire) -> Change | None:
        self._check(room, user, ask)
        guest = ask["user_id"]
        _check_rank(room, user, guest)
        if room.state(guest) in ("", "banned"):
            return None
        return lambda: self._exit(room, guest, user, "kicked", ask)

    def _ban(self, room: Room, user: str, ask: Wire) -> Change | None:
        self._check(room, user, ask)
        guest = ask["user_id"]
        _check_rank(room, user, guest)
        if room.state(guest) == "banned":
            return None
        return lambda: self._exit(room, guest, user, "banned", ask)

    def _unban(self, room: Room, user: str, ask: Wire) -> Change | None:
        self._check(room, user, ask)
        guest = ask["user_id"]

        def change() -> None:
            del room.people[guest]
            self._row(room, "room_update", user, {"member": {"user_id": guest}}, ask)

        return change if room.state(guest) == "banned" else None

    def _mute(self, room: Room, user: str, ask: Wire) -> Change | None:
        self._check_inferior(room, user, ask)
        guest, duration = room.people[ask["user_id"]], ask["muted_for_ms"]

        def change() -> None:
            guest.muted_until = self.now() + duration if duration else 0
            member = {"user_id": ask["user_id"], "muted_for_ms": duration}
            self._row(room, "room_update", user, {"member": member}, ask)

        return change if duration or guest.muted_until > self.now() else None

    def _set_role(self, room: Room, user: str, ask: Wire) -> Change | None:
        self._check_inferior(room, user, ask)
        guest, role = ask["user_id"], ask["role"]

        def change() -> None:
            member = {"user_id": guest, "role": role}
            self._row(room, "room_update", user, {"member": member}, ask)
            room.become(guest, role)
            if role == "owner":
                room.become(user, "admin")
                room.belong(guest, self.now())

        return change if room.role(guest) != role else None

    def _enter(
        self,
        room: Room,
        user: str,
        by: str,
        reason: str,
        ask: Wire | None = None,
        *,
        role: str = "member",
    ) -> None:
        content = {"user_id": user, "role": role, "reason": reason} | _by(by, user)
        sees_all = reason == "created" or not room.is_private
        self._row(room, "join_room", by, content, ask or {})
        one = room.stand(user, "member", self.now())
        one.floor = 0 if sees_all else one.floor
        if role == "owner":
            room.belong(user, self.now())

    def _wait(self, room: Room, user: str, by: str, state: str, ask: Wire) -> None:
        self._row(room, "room_update", by, {"member": {"user_id": user, "state": state}}, ask)
        room.stand(user, state, self.now())

    def _exit(self, room: Room, user: str, by: str, reason: str, ask: Wire) -> None:
        content = {"user_id": user, "reason": reason} | _by(by, user)
        if room.state(user) != "member":
            content["was"] = room.state(user) or "stranger"
        room.people.pop(user, None)
        heirs = sorted(room.inside, key=lambda one: room.role(one) != "admin")
        if room.owner == user and heirs:
            content["owner"] = heirs[0]
        self._row(room, "leave_room", by, content, ask)
        if room.owner == user:
            room.belong(heirs[0] if heirs else None, self.now())
        if reason == "banned":
            room.stand(user, "banned", self.now())

    # Messages

    def _chat(self, room: Room, user: str, ask: Wire) -> Change | None:
        reply = ask["content"].get("reply_to")
        sees_reply = reply is None or (room.role(user) and _find(room, user, reply))
        try:
            self._check(room, user, ask)
            _check_content(room, ask)
        except Refused as refused:
            raise Refused(*refused.codes, *([] if sees_reply else ["invalid"])) from refused
        _require(bool(sees_reply), "invalid")
        more = {"id": ask["id"]} | ({"to": ask["to"]} if "to" in ask else {})
        asked = {k: v for k, v in ask.items() if k != "id"}
        content = _filled(ask["content"])
        return lambda: self._row(room, ask["event"], user, content, asked, **more)

    _group = _private = _chat

    def _edit_message(self, room: Room, user: str, ask: Wire) -> Change | None:
        message, content = _spoken(room, user, ask), _filled(ask["content"])
        kind_taken = content["message_type"] in room.setting("allowed_types")
        _require_all(
            muted=not room.is_silent(user, self.now()),
            forbidden=message["from"] == user,
            rejected_content=kind_taken,
            gone="deleted" not in message,
        )

        def change() -> None:
            message.update(content=content, edited_at=stamp(self.now()))

        return self._changing(room, user, ask, message, change, message["content"] != content)

    def _delete_message(self, room: Room, user: str, ask: Wire) -> Change | None:
        message = _spoken(room, user, ask)
        if message["from"] != user:
            _check_rank(room, user, message["from"])

        def change() -> None:
            message.pop("reactions", None)
            message.update(content={}, deleted=True)

        return self._changing(room, user, ask, message, change, "deleted" not in message)

    def _react(self, room: Room, user: str, ask: Wire) -> Change | None:
        message = _spoken(room, user, ask)
        _require_all(
            muted=not room.is_silent(user, self.now()),
            gone="deleted" not in message,
        )
        users = {one["emoji"]: list(one["users"]) for one in message.get("reactions", ())}
        having = users.setdefault(ask["emoji"], [])
        differs = (user in having) != ask["on"]

        def change() -> None:
            having.append(user) if ask["on"] else having.remove(user)
            message["reactions"] = [
                {"emoji": emoji, "count": len(some), "users": some}
                for emoji, some in users.items()
                if some
            ]
            if not message["reactions"]:
                del message["reactions"]

        return self._changing(room, user, ask, message, change, differs)

    def _changing(
        self, room: Room, user: str, ask: Wire, message: Wire, change: Change, differs: bool
    ) -> Change | None:
        def all_of_it() -> None:
            change()
            room.head += 1
            message["rev"] = room.head
            room.done[(user, ask["client_id"])] = {k: v for k, v in ask.items() if k != "id"}

        return all_of_it if differs else None

    # What leaves no row

    def _read(self, room: Room, user: str, ask: Wire) -> Change:
        _check_inside(room, user)
        one = room.people[user]

        def change() -> None:
            one.read = max(one.read, min(ask["seq"], room.head))

        return change

    def _typing(self, room: Room, user: str, ask: Wire) -> None:
        self._check(room, user, ask)

    _signal = _typing

    def _watch(self, room: Room, user: str, ask: Wire) -> None:
        if not room.reads(user):
            _check_inside(room, user)

    def _unwatch(self, room: Room, user: str, ask: Wire) -> None:
        pass

    # Checks

    def _check(self, room: Room, user: str, ask: Wire) -> None:
        _check_inside(room, user)
        event = ask["event"]
        if event not in room.can(user, self.now()):
            speaks = event in (DIRECT if room.type == "direct" else TALK)
            silent = speaks and room.is_silent(user, self.now())
            raise Refused("muted" if silent else "forbidden")

    def _check_inferior(self, room: Room, user: str, ask: Wire) -> None:
        self._check(room, user, ask)
        _require(room.state(ask["user_id"]) == "member", "not_found")
        _check_rank(room, user, ask["user_id"])

    def _row(
        self, room: Room, kind: str, sender: str, content: Wire, ask: Wire, **more: Any
    ) -> None:
        asked = {k: v for k, v in ask.items() if k != "id"}
        room.row(kind, sender, content, asked, at=self.now(), **more)


def _made_again(room: Room, user: str, ask: Wire) -> None:
    _require(not room.deleted, "gone")
    _require(room.done[(user, ask["client_id"])] == ask, "client_id_reused")
    _check_inside(room, user)


def _is_retry(room: Room, user: str, ask: Wire) -> bool:
    first = room.done.get((user, ask.get("client_id", "")))
    _require(first in (None, ask), "client_id_reused")
    return first is not None


def _find(room: Room, user: str, message_id: str) -> Wire | None:
    return next((m for m in room.visible(user) if m.get("id") == message_id), None)


def _spoken(room: Room, user: str, ask: Wire) -> Wire:
    message = _find(room, user, ask["message_id"])
    if message is None or message["type"] not in SPOKEN:
        raise Refused("forbidden")
    return message


def _filled(content: Wire) -> Wire:
    return {"message_type": "text", **content}


def _by(by: str, user: str) -> Wire:
    return {"by": by} if by != user else {}


def _check_inside(room: Room, user: str) -> None:
    state = room.state(user)
    if state != "member":
        raise Refused("not_found" if room.is_private and state not in WAITING else "forbidden")


def _check_rank(room: Room, user: str, other: str) -> None:
    _require(user != other and RANK[room.role(user)] > RANK[room.role(other)], "forbidden")


def _check_space(room: Room) -> None:
    _require(len(room.inside) < room.setting("max_members"), "room_full")


def _check_content(room: Room, ask: Wire) -> None:
    kind = _filled(ask["content"])["message_type"]
    _require(kind in room.setting("allowed_types"), "rejected_content")


def _require(holds: bool, code: str) -> None:
    if not holds:
        raise Refused(code)


def _require_all(**checks: bool) -> None:
    """Refuse with the codes of all that do not hold: which one is told is not laid down."""
    wrong = [code for code, holds in checks.items() if not holds]
    if wrong:
        raise Refused(*wrong)
