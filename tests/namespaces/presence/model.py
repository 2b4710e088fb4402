"""Presence once more, from docs/protocol.md: what is so, and what a client makes of what it hears.

Everything here is said a second time on purpose: nothing is taken from the product.
"""

import itertools
from dataclasses import dataclass, field
from typing import Any

from tests.namespaces.presence.house import GRACE_S

_leavings = itertools.count(1)
ORDER = ("online", "busy", "away")
Content = dict[str, Any]


@dataclass
class Device:
    """A connection and what it said."""

    key: object
    said: dict[str, str] = field(default_factory=lambda: {"status": "online"})
    left_at: float | None = None
    left_as: int = 0  # a number that rises with each leaving


@dataclass
class Person:
    """A user."""

    devices: list[Device] = field(default_factory=list[Device])
    invisible: bool = False
    last_seen: float | None = None  # when she was last shown

    @property
    def shown(self) -> bool:
        return bool(self.devices) and not self.invisible

    def own(self) -> Content:
        said = [device.said for device in self.devices]
        statuses = {each["status"] for each in said}
        status = next((name for name in ORDER if name in statuses), "offline")
        seen: Content = {"status": status, "devices": [_shown(each) for each in said]}
        return {**seen, "invisible": True} if self.invisible and self.devices else seen

    def public(self) -> Content:
        if self.shown:
            return self.own()
        away: Content = {"status": "offline", "devices": []}
        return away if self.last_seen is None else {**away, "last_seen": self.last_seen}


def _shown(said: dict[str, str]) -> dict[str, str]:
    return {name: text for name, text in said.items() if text}


@dataclass
class Model:
    """What is so."""

    people: dict[str, Person]
    rooms: dict[str, set[str]] = field(default_factory=dict[str, set[str]])
    now: float = 0.0

    def come(self, user_id: str, key: object) -> None:
        """Let a device come; it takes the place of the last of hers that has left."""
        person = self.people[user_id]
        gone = [device for device in person.devices if device.left_at is not None]
        if gone:
            device = max(gone, key=lambda each: each.left_as)
            device.key, device.left_at = key, None
        else:
            person.devices.append(Device(key))

    def go(self, user_id: str, key: object) -> None:
        """Let a device leave; it counts for the grace."""
        device = self._device(user_id, key)
        device.left_at = self.now
        device.left_as = next(_leavings)

    def report(self, user_id: str, key: object, said: dict[str, Any]) -> None:
        """Take what a device says."""
        person = self.people[user_id]
        self._device(user_id, key).said |= {k: v for k, v in said.items() if k != "invisible"}
        if "invisible" in said:
            if person.shown and said["invisible"]:
                person.last_seen = self.now
            person.invisible = said["invisible"]

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds
        for person in self.people.values():
            was_shown = person.shown
            person.devices = [
                device
                for device in person.devices
                if device.left_at is None or device.left_at + GRACE_S > self.now
            ]
            if was_shown and not person.shown:
                person.last_seen = self.now

    def sees(self, viewer: str, user_id: str) -> Content:
        """Return how a user looks to somebody."""
        if viewer == user_id:
            return self.people[user_id].own()
        if any({viewer, user_id} <= members for members in self.rooms.values()):
            return self.people[user_id].public()
        return {"status": "offline", "devices": []}

    def here(self, room_id: str) -> dict[str, Content]:
        """Return who is shown of a room."""
        members = self.rooms.get(room_id, set())
        return {who: self.people[who].public() for who in members if self.people[who].shown}

    def _device(self, user_id: str, key: object) -> Device:
        return next(device for device in self.people[user_id].devices if device.key is key)


@dataclass
class Client:
    """What a client knows, by the rule of docs/protocol.md."""

    user_id: str
    people: dict[str, Content] = field(default_factory=dict[str, Content])
    rooms: dict[str, dict[str, Content]] = field(default_factory=dict[str, dict[str, Content]])
    counts: dict[str, int] = field(default_factory=dict[str, int])
    asked: set[str] = field(default_factory=set[str])  # rooms whose list it was given
    left: set[str] = field(default_factory=set[str])  # rooms that its user was out of since
    inside: list[bool] = field(default_factory=list[bool])  # for each `room` not answered yet

    def hears(self, name: str, data: Any) -> None:
        """Take one frame."""
        match name:
            case "user_online" | "user_offline" | "status":
                assert data["type"] == name
                self._event(data["content"])
            case "room":
                self._room(data)
            case "ack":
                self._may_be_refused(data)
                if data["ok"]:
                    self._ack(data["event"], data["payload"], data["data"])
            case _:
                assert name == "system"

    def _may_be_refused(self, ack: Any) -> None:
        """See that nothing is but the list of a room, and that only to one who is not in it."""
        was_inside = self.inside.pop(0) if ack["event"] == "room" else True
        if not ack["ok"]:
            assert ack["error"]["code"] in ("forbidden", "not_found", "gone")
            assert not was_inside or ack["payload"]["room_id"] in self.left

    def _event(self, content: Content) -> None:
        who = content["user_id"]
        if who in self.people or who == self.user_id:
            self._take(self.people, content)

    def _ack(self, event: str, payload: Any, data: Any) -> None:
        if event == "subscribe":
            for content in data["users"]:
                self._take(self.people, content)
        elif event == "get":
            for content in data["users"]:
                if content["user_id"] in self.people:
                    self._take(self.people, content)
        elif event == "set_status":
            self._take(self.people, data)
        elif event == "room":
            self.asked.add(data["room_id"])
            self._room({**data, "whole": True})
        elif event == "unsubscribe":
            for who in set(payload.get("user_ids", ())) - {self.user_id}:
                self.people.pop(who, None)
            self.asked.discard(payload.get("room_id", ""))
            self.rooms.pop(payload.get("room_id", ""), None)
            self.counts.pop(payload.get("room_id", ""), None)

    def _room(self, data: Any) -> None:
        room_id = data["room_id"]
        if data.get("ended"):
            self.rooms.pop(room_id, None)
            self.counts.pop(room_id, None)
            return
        self.counts[room_id] = data["online"]
        if data.get("whole"):
            self.rooms[room_id] = {}
        if "users" not in data:
            self.rooms.pop(room_id, None)
            return
        known = self.rooms[room_id]
        for content in data["users"]:
            self._take(known, content)
        self.rooms[room_id] = {w: c for w, c in known.items() if c["status"] != "offline"}

    @staticmethod
    def _take(known: dict[str, Content], content: Content) -> None:
        before = known.get(content["user_id"])
        if before is None or content["version"] >= before["version"]:
            known[content["user_id"]] = content
