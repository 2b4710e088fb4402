"""Rooms once more, in plain Python and from the document: what each user sees of them.

Nothing of the product is imported. A room is a list of messages in the shape of the wire, and
how people stand with it; whatever is asked is computed from the whole of both. What requests do
to it is in `model_requests`.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

Wire = dict[str, Any]

SPOKEN = {"chat", "group", "private"}
STAFF = {"owner", "admin"}
WAITING = {"invited", "pending"}
RANK = {"": 0, "member": 0, "admin": 1, "owner": 2}
DEFAULTS: Wire = {
    "max_members": 1000,
    "allowed_types": ["text", "image", "file"],
    "mute_all": False,
    "require_approval": False,
}

ANYONE = {"delete_message", "history", "members", "read", "room", "sync"}
TALK = {"chat", "edit_message", "group", "react", "signal", "typing"}
MANAGE = {"approve", "ban", "invite", "kick", "mute", "unban", "update_room"}
OWN = {"delete_room", "set_role"}
DIRECT = {"edit_message", "private", "react", "signal", "typing"}
VISIT = {"history", "room", "watch"}


@dataclass
class Standing:
    """How somebody stands with a room; a stranger has none."""

    state: str
    since: int  # position of the row that made it so
    at: int
    role: str = "member"
    floor: int = 0
    read: int = 0
    muted_until: int = 0
    staff_since: int = 0  # position from which on she is owner or admin, 0: she is not


@dataclass
class Room:
    """A room: its log as messages in their present state, and its people."""

    id: str
    name: str
    type: str
    owner: str | None
    made_at: int
    changed_at: int = 0
    description: str = ""
    settings: Wire = field(default_factory=dict[str, Any])
    people: dict[str, Standing] = field(default_factory=dict[str, Standing])
    messages: list[Wire] = field(default_factory=list[Wire])
    done: dict[tuple[str, str], Wire] = field(default_factory=dict[tuple[str, str], Wire])
    head: int = 0
    rev: int = 1
    deleted: bool = False
    ever_staff: set[str] = field(default_factory=set[str])

    @property
    def is_private(self) -> bool:
        """Whether it is unlisted and entered by invitation."""
        return bool(self.settings.get("is_private", self.type != "public"))

    @property
    def inside(self) -> list[str]:
        """The members, who is inside longest first."""
        found = [user for user, one in self.people.items() if one.state == "member"]
        return sorted(found, key=lambda user: self.people[user].since)

    def state(self, user: str) -> str:
        """How she stands with it; empty: not at all."""
        return self.people[user].state if user in self.people else ""

    def role(self, user: str) -> str:
        """Her role; empty if she is not inside."""
        return self.people[user].role if self.state(user) == "member" else ""

    def setting(self, name: str) -> Any:
        """Return one setting."""
        return self.settings.get(name, DEFAULTS[name])

    # What people may

    def can(self, user: str, now: int) -> set[str]:
        """Return the events she may send about it."""
        state, role = self.state(user), self.role(user)
        if state == "banned":
            return set()
        visit = set[str]() if self.is_private else VISIT
        if not state:
            return visit | {"join_room"} if visit else visit
        if state in WAITING:
            is_open = not (self.is_private or self.setting("require_approval"))
            enters = {"join_room"} if state == "invited" or is_open else set[str]()
            return visit | enters | {"leave_room", "room"}
        silent = self.is_silent(user, now)
        if self.type == "direct":
            return ANYONE | (set() if silent else DIRECT)
        asks = self.type == "public" and self.setting("require_approval")
        is_closed = self.type != "group" and (self.is_private or asks)
        everyone = set[str]() if is_closed else {"invite"}
        manage = MANAGE if role in STAFF else everyone
        own = OWN if role == "owner" else set[str]()
        return ANYONE | {"leave_room"} | manage | own | (set() if silent else TALK)

    def is_silent(self, user: str, now: int) -> bool:
        """Whether a member may not speak."""
        everyone = self.setting("mute_all") and self.role(user) not in STAFF
        return bool(everyone or self.people[user].muted_until > now)

    def knows(self, user: str) -> bool:
        """Whether she may learn what it is called."""
        return not self.deleted and (
            not self.is_private or self.state(user) in WAITING | {"member"}
        )

    def reads(self, user: str) -> bool:
        """Whether there is a history for her."""
        if self.deleted or self.state(user) == "banned":
            return False
        return not self.is_private or self.state(user) == "member"

    # What people see

    def visible(self, user: str) -> list[Wire]:
        """Return the messages there are for her, by ``seq``."""
        if not self.reads(user):
            return []
        return [message for message in self.messages if self.shows(user, message)]

    def shows(self, user: str, message: Wire) -> bool:
        """Whether a message is for a member, or for a visitor of a listed room."""
        if not self.role(user):
            return not is_confidential(message)
        if message["seq"] < self.people[user].floor:
            return False
        hers = self.role(user) in STAFF or subject(message) == user
        return hers or not is_confidential(message)

    def unread(self, user: str) -> tuple[int, int]:
        """Return what a member has not read, and how much of it mentions her."""
        one = self.people[user]
        after = max(one.read, one.floor - 1)
        new = [
            m
            for m in self.messages
            if m["type"] in SPOKEN and m["from"] != user and m["seq"] > after and "deleted" not in m
        ]
        return len(new), sum(user in m["content"].get("mentions", ()) for m in new)

    def view(self, user: str, now: int, *, members: bool = False) -> Wire:
        """Return the wire's view of it; who is inside is for members only."""
        settings = {"is_private": self.is_private, **DEFAULTS, **self.settings}
        if not settings.get("retention_days"):
            settings.pop("retention_days", None)
        room = present(
            id=self.id,
            name=self.name,
            type=self.type,
            description=self.description or None,
            owner=self.owner,
            member_count=len(self.inside),
            members=sorted(self.inside) if members and self.role(user) else None,
            settings=settings,
            rev=self.rev,
            created_at=stamp(self.made_at),
            updated_at=stamp(self.changed_at or self.made_at),
        )
        can = sorted(self.can(user, now))
        return present(room=room, membership=self.membership(user, now), can=can)

    def membership(self, user: str, now: int) -> Wire | None:
        """Return the wire's membership; None for a stranger."""
        one = self.people.get(user)
        if one is None:
            return None
        return present(
            user_id=user,
            role=one.role,
            state=one.state,
            visible_from_seq=one.floor,
            joined_at=stamp(one.at),
            muted_until=stamp(one.muted_until) if one.muted_until > now else None,
        )

    # Rows

    def row(
        self, kind: str, sender: str, content: Wire, ask: Wire, *, at: int, **more: Any
    ) -> None:
        """Add a message at the next position; with ``client_id`` a retry of ``ask`` is known."""
        self.head += 1
        message = {"type": kind, "room_id": self.id, "seq": self.head, "rev": self.head}
        message |= {"from": sender, "content": content, "timestamp": stamp(at), **more}
        if "client_id" in ask:
            message["client_id"] = ask["client_id"]
            self.done[(sender, ask["client_id"])] = ask
        self.messages.append(message)

    def stand(self, user: str, state: str, at: int) -> Standing:
        """Begin a standing with the row at the head."""
        one = Standing(state=state, since=self.head, at=at, floor=self.head, read=self.head)
        self.people[user] = one
        return one

    def become(self, user: str, role: str) -> None:
        """Give a member another role by the row at the head."""
        one = self.people[user]
        one.role = role
        if role == "owner":
            one.muted_until = 0  # nobody could end it
        if role not in STAFF:
            one.staff_since = 0
        elif not one.staff_since:
            one.staff_since = self.head
            self.ever_staff.add(user)

    def belong(self, owner: str | None, at: int) -> None:
        """Give it another owner by the row at the head."""
        if owner is not None:
            self.become(owner, "owner")
        if owner != self.owner:
            self.owner, self.rev, self.changed_at = owner, self.head, at


def subject(message: Wire) -> str:
    """Return whom a row is about; empty: nobody."""
    user: str = message["content"].get("member", message["content"]).get("user_id", "")
    return user


def is_confidential(message: Wire) -> bool:
    """Whether a row is about a request to join: seen by owner, admins, and by who asked."""
    content = message["content"]
    if message["type"] == "room_update":
        return bool(content.get("member", {}).get("state") == "pending")
    return bool(message["type"] == "leave_room" and content.get("was") == "pending")


def present(**fields: Any) -> Wire:
    """Return the fields that are not None."""
    return {name: value for name, value in fields.items() if value is not None}


def stamp(at: int) -> str:
    """Return a time as the wire has it."""
    text = datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")
