"""What every user is shown, compared with the model: by asking, and by what she was sent."""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from parley.storage.models import UserId
from tests.namespaces.chat.asking import TEXT
from tests.namespaces.chat.model import (
    SPOKEN,
    STAFF,
    Room,
    Standing,
    Wire,
    is_confidential,
    subject,
)
from tests.namespaces.chat.model_requests import Model
from tests.namespaces.chat.stage import Stage
from tests.namespaces.chat.world import FEED, closes, rev_of

LIMIT = 7  # of a page of history
AGES = (1, 6)  # steps after which a cursor is renewed
EPHEMERAL = {"typing", "signal", "read"}


@dataclass
class Before:
    """What there was before a request."""

    texts: Mapping[str, set[str]]  # what each user could see
    heard: Mapping[str, set[str]]  # rooms that each user's sockets heard
    inside: set[tuple[str, str]]  # room, member
    waiting: Mapping[tuple[str, str], str]  # room, user → invited, pending
    heads: Mapping[str, int]


@dataclass
class Device:
    """What a device has of a room that only ever syncs, by the client's rule in Python."""

    cursor: str = ""
    since: int = 0  # it has all that changed after this
    messages: dict[str, Wire] = field(default_factory=dict[str, Wire])
    states: list[str] = field(default_factory=list[str])  # of the parts of its last sync
    first: list[Wire] = field(default_factory=list[Wire])  # the events of the first of them

    def take(self, part: Wire) -> None:
        """Take one page."""
        if part["state"] == "reset":
            self.messages = {}
        if not self.states:
            self.first = part["events"]
        self.states.append(part["state"])
        for message in part["events"]:
            known = self.messages.get(message["id"])
            if known is None or known["rev"] < message["rev"]:
                self.messages[message["id"]] = message
        self.cursor = part["upto"]


class Sights:
    """Looks at everything there is to see."""

    def __init__(self, stage: Stage, model: Model) -> None:
        self._stage = stage
        self._model = model
        self._watching: dict[str, set[str]] = {name: set() for name in stage.people}
        self._devices: dict[tuple[str, str, int], Device] = {}
        self._steps = 0

    # Before and after a request

    def before(self) -> Before:
        """Remember what there is."""
        rooms = self._model.rooms
        people = [(room, user, one) for room in rooms.values() for user, one in room.people.items()]
        return Before(
            texts={name: self._texts(name) for name in self._stage.people},
            heard={name: self._heard(name) for name in self._stage.people},
            inside={(room.id, user) for room, user, one in people if one.state == "member"},
            waiting={
                (room.id, user): one.state
                for room, user, one in people
                if one.state in ("invited", "pending")
            },
            heads={id: room.head for id, room in rooms.items()},
        )

    def watches(self, user: str, room_id: str, *, on: bool) -> None:
        """Take note that a page begins to watch a room it is not inside of, or stops."""
        if on and not self._model.rooms[room_id].role(user):
            self._watching[user].add(room_id)
        elif not on:
            self._watching[user].discard(room_id)

    def forgets(self, user: str) -> None:
        """Take note that a user has a new page, which watches nothing."""
        self._watching[user].clear()

    def check_sent(self, before: Before) -> None:
        """Look at what everybody was sent since ``before``."""
        for user in self._stage.people:
            frames = self._stage.take_frames(user)
            self._check_bytes(user, frames, before.texts[user] | self._texts(user))
            self._check_heard(user, frames, before.heard[user] | self._heard(user))
            self._check_rows(user, frames, before)
            self._check_told(user, frames, before)

    def _check_bytes(self, user: str, frames: list[Any], texts: set[str]) -> None:
        """Not a byte of anybody's words that are not for her."""
        for _, name, frame in frames:
            # Beside an ack the stage keeps what she asked.
            data = frame["ack"] if name == "ack" and "payload" in frame else frame
            if closes(data):
                continue  # the last row that watchers get, whatever else it changes
            seen = set(TEXT.findall(json.dumps(data)))
            assert seen <= texts or name == "signal", f"{user} saw {seen - texts}: {name} {data}"

    def _check_heard(self, user: str, frames: list[Any], rooms: set[str]) -> None:
        """Nothing of a room that is not hers; signs are for members alone."""
        inside = {id for id, room in self._model.rooms.items() if room.role(user)}
        for sid, name, data in frames:
            if name in EPHEMERAL:
                assert data["room_id"] in inside, f"{sid} heard {name} {data}"
            elif name in FEED and not self._is_parting(user, data):
                assert data["room_id"] in rooms, f"{sid} heard {name} {data}"

    def _is_parting(self, user: str, data: Wire) -> bool:
        return data.get("type") == "leave_room" and data["content"]["user_id"] == user

    def _check_rows(self, user: str, frames: list[Any], before: Before) -> None:
        """Who was inside and is, hears of every position, by both sockets, what it is to her."""
        for room_id, head in before.heads.items():
            room, person = self._model.rooms[room_id], self._stage.people[user]
            if (room_id, user) not in before.inside or not room.role(user):
                continue
            visible = {m["rev"]: m for m in room.visible(user)}
            for sid in (person.sid, person.page.sid):
                rows = [
                    d for s, n, d in frames if s == sid and n in FEED and d["room_id"] == room_id
                ]
                if self._was_away(frames, sid):
                    continue
                assert [row["rev"] for row in rows] == list(range(head + 1, room.head + 1)), sid
                for row in rows:
                    self._check_row(user, room, row, visible)

    def _was_away(self, frames: list[Any], sid: str) -> bool:
        return any(s == sid and name == "sync" for s, name, _ in frames)

    def _check_row(self, user: str, room: Room, row: Wire, visible: Mapping[int, Wire]) -> None:
        message = visible.get(row["rev"])
        if message is None:
            assert row == {"room_id": room.id, "rev": row["rev"]}, f"{user} heard {row}"
        else:
            self._same([row], [message], user)

    def _check_told(self, user: str, frames: list[Any], before: Before) -> None:
        """Who is invited or refused is told so by both sockets; so is staff that is asked."""
        person = self._stage.people[user]
        for room in self._model.rooms.values():
            was, state = before.waiting.get((room.id, user)), room.state(user)
            for sid in (person.sid, person.page.sid):
                mine = [(n, d) for s, n, d in frames if s == sid and d.get("room_id") == room.id]
                codes = [d["code"] for n, d in mine if n == "system"]
                if state == "invited" and was is None:
                    assert "invited" in codes, f"{sid} was not told of the invitation"
                if was is not None and state in ("", "banned") and not room.deleted:
                    assert any(n == "leave_room" for n, _ in mine), f"{sid} was not told"
                asked = self._who_asked(room, before)
                if room.role(user) in STAFF and asked:
                    assert "join_requested" in codes, f"{sid} was not asked"
                elif not asked:
                    assert "join_requested" not in codes

    def _who_asked(self, room: Room, before: Before) -> list[str]:
        pending = [user for user in room.people if room.state(user) == "pending"]
        return [user for user in pending if (room.id, user) not in before.waiting]

    def _heard(self, user: str) -> set[str]:
        """Return the rooms she hears; a watch ends where she comes in or the room closes."""
        rooms = self._model.rooms
        self._watching[user] = {
            id for id in self._watching[user] if rooms[id].reads(user) and not rooms[id].role(user)
        }
        return self._watching[user] | {id for id, room in rooms.items() if room.role(user)}

    def _texts(self, user: str) -> set[str]:
        """Return every text that is for her now."""
        seen: list[Any] = []
        for room in self._model.rooms.values():
            seen += room.visible(user)
            if room.knows(user):
                seen += [room.name, room.description]
        return set(TEXT.findall(json.dumps(seen)))

    # Asking for everything

    async def look(self, touched: Collection[str]) -> None:
        """Let everybody look at the rooms of a request, and one after the other at all rooms."""
        self._steps += 1
        for turn, user in enumerate(self._stage.people):
            everything = (turn + self._steps) % len(self._stage.people) == 0
            for room in self._model.rooms.values():
                if everything or room.id in touched:
                    await self._look_at(user, room)
            await self._look_at_mine(user)
            if everything:
                await self._look_for_rooms(user)
            self._check_bytes(user, self._stage.take_frames(user), self._texts(user))

    async def _look_at(self, user: str, room: Room) -> None:
        if not room.reads(user):
            await self._look_from_outside(user, room)
            return
        page = await self._ask(user, "history", room_id=room.id, limit=LIMIT)
        self._same(await self._older(user, room, page), room.visible(user), user)
        seen = await self._ask(user, "room", room_id=room.id)
        self.check_view(seen, room, user, members=True)
        self._check_page(user, room)
        if not room.role(user):
            return
        await self._look_at_members(user, room)
        await self._sync_anew(user, room)
        for age in AGES:
            await self._sync_on(user, room, age)

    async def _look_from_outside(self, user: str, room: Room) -> None:
        outside = {"gone"} if room.deleted else {"not_found", "forbidden"}
        seen = await self._stage.ask(user, "room", {"room_id": room.id})
        if room.knows(user) and room.state(user) != "banned":
            self.check_view(seen["data"], room, user, members=True)
        else:
            assert seen["error"]["code"] in outside
        for event in ("history", "members", "watch"):
            ack = await self._stage.ask(user, event, {"room_id": room.id})
            assert ack.get("error", {}).get("code") in outside, (user, event, ack)
        parts = await self._ask(user, "sync", rooms={room.id: None})
        state = "gone" if room.deleted or room.is_private else "denied"
        assert parts["rooms"][room.id] == {"state": state}
        self._check_page(user, room)

    async def _ask(self, user: str, event: str, **payload: Any) -> Wire:
        ack = await self._stage.ask(user, event, payload)
        assert ack["ok"], f"{user}: {event} {payload} answered {ack}"
        data: Wire = ack["data"]
        return data

    async def _older(self, user: str, room: Room, page: Wire) -> list[Wire]:
        found: list[Wire] = page["messages"]
        while page["more"]:
            assert page["messages"], f"{user}: an empty page of history says there is more"
            before = page["messages"][0]["seq"]
            page = await self._ask(user, "history", room_id=room.id, limit=LIMIT, before=before)
            found = page["messages"] + found
        return found

    async def _look_at_members(self, user: str, room: Room) -> None:
        for state in ("member", "invited", "pending", "banned"):
            asked = {"room_id": room.id, "state": state, "limit": 2}
            if state != "member" and room.role(user) not in STAFF:
                ack = await self._stage.ask(user, "members", asked)
                assert ack["error"]["code"] == "forbidden"
                continue
            found = await self._all(user, "members", asked, "members")
            wanted = [
                self._member(room, other)
                for other in sorted(room.people)
                if room.state(other) == state
            ]
            assert found == wanted, (user, state)

    def _member(self, room: Room, user: str) -> Wire:
        wire = room.membership(user, self._stage.now) or {}
        return {**wire, "read_seq": room.people[user].read} if room.role(user) else wire

    async def _all(self, user: str, event: str, asked: Wire, items: str) -> list[Wire]:
        """Return a list, page by page."""
        data = await self._ask(user, event, **asked)
        found: list[Wire] = data[items]
        while "next" in data:
            data = await self._ask(user, event, **asked, cursor=data["next"])
            found += data[items]
        return found

    async def _look_at_mine(self, user: str) -> None:
        rooms = sorted(self._model.rooms.values(), key=lambda room: room.id)
        mine = [room for room in rooms if room.role(user)]
        found = await self._all(user, "rooms", {"limit": 2}, "rooms")
        assert [entry["room"]["id"] for entry in found] == [room.id for room in mine]
        for entry, room in zip(found, mine, strict=True):
            self._check_entry(entry, room, user)
        waiting = (await self._ask(user, "rooms"))["waiting"]
        for state in ("invited", "pending"):
            views = [view for view in waiting if view["membership"]["state"] == state]
            wanted = [room for room in rooms if room.state(user) == state]
            for view, room in zip(views, wanted, strict=True):
                self.check_view(view, room, user)
        await self._count(user, mine)

    def _check_entry(self, entry: Wire, room: Room, user: str) -> None:
        self.check_view(entry, room, user, members=room.type == "direct")
        counts = (entry["unread"], entry["mentions"])
        assert counts == room.unread(user), (user, counts, room.unread(user))
        assert (entry["head"], entry["read_seq"]) == (room.head, room.people[user].read)
        spoken = [m for m in room.visible(user) if m["type"] in SPOKEN]
        assert [entry["last_message"]] == spoken[-1:] if spoken else "last_message" not in entry

    async def _count(self, user: str, mine: list[Room]) -> None:
        """Compare what HTTP tells of unread messages, and of who wrote what."""
        reading = self._stage.node.services.reading
        counts = await reading.unread(UserId(user))
        told = {id: (count.count, count.mentions) for id, count in counts.items()}
        assert told == {r.id: r.unread(user) for r in mine if r.unread(user) != (0, 0)}, user

    async def _look_for_rooms(self, user: str) -> None:
        listed = [r for r in self._model.rooms.values() if not (r.deleted or r.is_private)]
        for words in ("", "TEA"):
            asked = {"q": words, "limit": 2}
            wanted = [room for room in listed if words.casefold() in room.name.casefold()]
            wanted.sort(key=lambda room: (room.name.casefold(), room.id))
            found = await self._all(user, "discover", asked, "rooms")
            for view, room in zip(found, wanted, strict=True):
                self.check_view(view, room, user)

    # Syncs

    async def _sync_anew(self, user: str, room: Room) -> None:
        """Sync from the read mark, and from the beginning, which is before any membership."""
        one = room.people[user]
        device = await self._sync(user, room, Device())
        assert device.states[0] == "ok"
        self._check_fold(user, room, device.messages, one.read)
        epoch = device.cursor.partition(".")[0]
        device = await self._sync(user, room, Device(f"{epoch}.0"))
        assert device.states[0] == "reset"
        newest = [m for m in room.messages if m["seq"] >= one.floor][-self._stage.reset_messages :]
        visible = {m["seq"] for m in room.visible(user)}
        self._same(device.first, [m for m in newest if m["seq"] in visible], user)
        self._check_fold(user, room, device.messages, room.head)

    async def _sync_on(self, user: str, room: Room, age: int) -> None:
        """Sync from where this was some steps ago."""
        known = self._devices.get((user, room.id, age))
        if known is not None and self._steps % age:
            return
        since, state = room.people[user].read, "ok"
        if known is not None:
            is_void = rev_of(known.cursor) < room.people[user].since
            since, state = (room.head, "reset") if is_void else (known.since, "ok")
        device = await self._sync(user, room, known or Device())
        assert device.states[0] == state, (user, device.states)
        device.since = since
        self._devices[user, room.id, age] = device
        self._check_fold(user, room, device.messages, since)

    async def _sync(self, user: str, room: Room, device: "Device") -> "Device":
        """Sync a device to the end of a room, page by page."""
        one, more = room.people[user], True
        device.states, asked = [], device.cursor or None
        while more:
            part = (await self._ask(user, "sync", rooms={room.id: asked}))["rooms"][room.id]
            counts = (part["unread"], part["mentions"])
            assert counts == room.unread(user), (user, counts, room.unread(user))
            assert (part["read_seq"], part["floor_seq"]) == (one.read, one.floor)
            assert part["head"] == room.head
            device.take(part)
            more, asked = part["more"], part["upto"]
        assert rev_of(device.cursor) == room.head
        return device

    # Comparing

    def check_view(self, got: Wire, room: Room, user: str, *, members: bool = False) -> None:
        """Compare a view of a room, whatever else stands beside it."""
        shown = {name: got[name] for name in ("room", "membership", "can") if name in got}
        shown |= {"can": sorted(shown["can"]), "room": dict(shown["room"])}
        if "members" in shown["room"]:
            shown["room"]["members"] = sorted(shown["room"]["members"])
        wanted = room.view(user, self._stage.now, members=members)
        assert shown == wanted, f"{user} sees {shown}, expected {wanted}"

    def _same(self, got: Iterable[Wire], wanted: Iterable[Wire], user: str) -> None:
        got, wanted = list(got), list(wanted)
        assert [m["seq"] for m in got] == [m["seq"] for m in wanted], user
        for shown, message in zip(got, wanted, strict=True):
            message.setdefault("id", shown["id"])  # learned, where the server made the message
            assert shown == message, f"{user} sees {shown}, expected {message}"

    def _check_page(self, user: str, room: Room) -> None:
        """What her open page has folded together is what there is."""
        page = self._stage.people[user].page
        log = page.rooms.get(room.id)
        if room.id in self._heard(user):
            assert log is not None, f"{user}'s page does not know {room.id}"
            assert not log["syncing"]
            assert rev_of(log["cursor"]) == room.head, f"{user}'s page is behind"
            self._check_fold(user, room, log["messages"], page.since[room.id])
        else:
            assert log is None, f"{user}'s page still has {room.id}"

    def _check_fold(self, user: str, room: Room, held: Mapping[str, Wire], since: int) -> None:
        """Compare a device that has all that changed after ``since``, and perhaps more.

        Requests to join are there for who was owner or admin when they came, and stay there.
        """
        known = {m["id"]: m for m in room.visible(user)}
        asked = {m["id"]: m for m in room.messages if "id" in m and is_confidential(m)}
        ever_staff = user in room.ever_staff
        shown = known | {id: m for id, m in asked.items() if ever_staff or subject(m) == user}
        for id, message in held.items():
            assert message == shown.get(id), f"{user} holds {message}, expected {shown.get(id)}"
        staff_since = room.people.get(user, Standing("", 0, 0)).staff_since
        for id, message in known.items():
            if id in held or message["rev"] <= since:
                continue
            before = message["seq"] < staff_since or subject(message) == user
            assert id in asked, f"{user} lacks {message}"
            assert before, f"{user} lacks {message}"
