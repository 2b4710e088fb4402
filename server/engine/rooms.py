"""Who is in which Socket.IO room on this node."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from parley.namespaces.mailbox import Mailbox

if TYPE_CHECKING:
    from parley.server.engine.connection import Connection


class Room:
    """The sockets of one room of a namespace."""

    __slots__ = ("members", "name", "namespace")

    def __init__(self, namespace: str, name: Any) -> None:
        self.namespace = namespace
        self.name = name
        self.members: dict[str, Connection] = {}  # by Socket.IO's sid


class Member:
    """One client in one namespace."""

    __slots__ = ("connection", "leaving", "live", "mailbox", "namespace", "rooms", "sid")

    def __init__(self, sid: str, namespace: str, connection: "Connection") -> None:
        self.sid = sid
        self.namespace = namespace
        self.connection = connection
        self.live = False  # the CONNECT handler let it in
        self.leaving = False  # the disconnect handler runs, and may still send
        # So that leaving costs the rooms it is in, not all there are.
        self.rooms: dict[Any, Room] = {}
        self.mailbox: Mailbox | None = None  # made with the first event that has to wait


class Space:
    """One namespace's members and rooms. A member's own room is no `Room`: it is the member."""

    __slots__ = ("members", "rooms")

    def __init__(self) -> None:
        self.members: dict[str, Member] = {}
        self.rooms: dict[Any, Room] = {}

    def enter(self, member: Member, name: Any) -> None:
        """Put a member into a room."""
        room = self.rooms.get(name)
        if room is None:
            room = self.rooms[name] = Room(member.namespace, name)
        room.members[member.sid] = member.connection
        member.rooms[name] = room

    def leave(self, member: Member, name: Any) -> None:
        """Take a member out of a room; one that is not in it is not an error."""
        room = member.rooms.pop(name, None)
        if room is not None:
            del room.members[member.sid]
            if not room.members:
                del self.rooms[name]

    def sids(self, name: Any) -> Iterator[str]:
        """Yield who is in a room; None is everyone who was let in."""
        if name is None:
            yield from (sid for sid, member in self.members.items() if member.live)
        elif name in self.members:
            yield name
        elif name in self.rooms:
            yield from self.rooms[name].members
